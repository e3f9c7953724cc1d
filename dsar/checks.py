"""System checks: what is missing or misconfigured is said before anything starts."""

from ctypes import CDLL
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.checks import register as register_check
from django.core.exceptions import ImproperlyConfigured

from dsar import guards, keys
from dsar.datamap import check as map_check
from dsar.datamap import loader
from dsar.datamap.loader import DataMapError
from dsar.datamap.schema import DataMap
from dsar.law import calendars, countries, editions, promises, regimes, table_editions, tiers, zones
from dsar.law.errors import RegimeFileError


def check_keys(**_: Any) -> list[CheckMessage]:
    """The key ring can be read."""
    try:
        keys.ensure_development_keys()
        keys.ring()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="rightsdesk.E001")]
    return []


def check_webhook_secret(**_: Any) -> list[CheckMessage]:
    """The inbound webhook is only there with a secret."""
    secret = settings.ANYMAIL.get("WEBHOOK_SECRET", "")
    if secret and ":" not in secret:
        return [
            Error("ANYMAIL_WEBHOOK_SECRET must be user:password (HTTP basic authentication).", id="rightsdesk.E002")
        ]
    return []


def check_law(**_: Any) -> list[CheckMessage]:
    """The files of the laws are whole; where we are, whose holidays count and what we promise fit them."""
    try:
        laws = [regimes.load(regime_id) for regime_id in regimes.all_ids()]
        promises.read(settings.PROMISES)
    except RegimeFileError as error:
        return [Error(f"{error}.", id="rightsdesk.E020")]
    found: list[CheckMessage] = [Error(f"{problem}.", id="rightsdesk.E024") for problem in law_problems()]
    places = {place for law in laws for place in law.regions}
    for place in settings.ESTABLISHED_IN:
        country, part = countries.understood(*countries.split(place))
        if not country or (part == "" and "-" in place) or place != place.upper():
            text = f"ESTABLISHED_IN: '{place}' is no place that is known here."
            hint = (
                f"A country such as DE, or a part of one such as US-CA. Those with a law: {', '.join(sorted(places))}."
            )
            found.append(Error(text, hint=hint, id="rightsdesk.E021"))
    at_home = {place.partition("-")[0] for place in settings.ESTABLISHED_IN}
    for calendar in settings.HOLIDAY_CALENDARS:
        if not calendars.is_calendar(calendar):
            text = f"HOLIDAY_CALENDAR: '{calendar}' is no holiday calendar. Name one such as DE-BE, FR or GB-SCT."
            found.append(Error(text, id="rightsdesk.E022"))
        elif at_home and calendar.partition("-")[0] not in at_home:
            text = f"HOLIDAY_CALENDAR: '{calendar}' belongs to no place in ESTABLISHED_IN ({', '.join(settings.ESTABLISHED_IN)})."
            hint = "The holidays that move a date are those of the place where the company is (Reg 1182/71 Art 2(1))."
            found.append(Error(text, hint=hint, id="rightsdesk.E025"))
    if settings.TIME_ZONE_OF_REGIME not in available_timezones():
        text = f"REGIME_TIME_ZONE: '{settings.TIME_ZONE_OF_REGIME}' is no time zone. Name one such as Europe/Berlin."
        found.append(Error(text, id="rightsdesk.E023"))
    elif at_home and not zones.fits(settings.TIME_ZONE_OF_REGIME, at_home):
        text = f"REGIME_TIME_ZONE: {settings.TIME_ZONE_OF_REGIME} is no zone of a place in ESTABLISHED_IN"
        hint = f"Name the zone from which the company counts its days: {', '.join(sorted(zones.of(at_home)))}."
        found.append(Error(f"{text} ({', '.join(settings.ESTABLISHED_IN)}).", hint=hint, id="rightsdesk.E026"))
    return found


def law_problems() -> list[str]:
    """What the files of the laws and the tables that they share say otherwise than it was recorded."""
    return [*editions.problems(), *table_editions.problems()]


# Under the names by which WeasyPrint looks for them.
PRESS = (
    ("Pango", ("libpango-1.0-0", "pango-1.0", "libpango-1.0.so.0", "libpango-1.0.dylib")),
    ("PangoFT2", ("libpangoft2-1.0-0", "pangoft2-1.0", "libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib")),
)


@cache
def missing_press() -> str:
    """What letters on paper (PDF) need and this machine does not have; empty where nothing is missing."""
    return ", ".join(name for name, files in PRESS if not any(map(_loads, files)))


def _loads(file: str) -> bool:
    try:
        CDLL(file)
    except OSError:
        return False
    return True


def check_press(**_: Any) -> list[CheckMessage]:
    """Letters can become PDFs."""
    if missing := missing_press():
        text = f"{missing} is missing: letters cannot be made into PDFs. Pages, mails and text files are there all the same."
        hint = "Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core"
        return [Warning(text, hint=hint, id="rightsdesk.W001")]
    return []


def check_published_measures(**_: Any) -> list[CheckMessage]:
    """Measures are published for laws that are there."""
    unknown = sorted(set(settings.PUBLISH_MEASURES) - set(regimes.all_ids()))
    if unknown:
        text = f"PUBLISH_MEASURES must name nothing but {', '.join(regimes.all_ids())}: {', '.join(unknown)} is no law here."
        return [Error(text, id="rightsdesk.E003")]
    return []


def check_periods(**_: Any) -> list[CheckMessage]:
    """A case file stays for as long as somebody may still want its answer looked at again."""
    if settings.RECORD_PERIOD < settings.APPEAL_WITHIN:
        days = settings.APPEAL_WITHIN.days
        text = f"RECORD_DAYS must be at least APPEAL_DAYS ({days}): what may still be looked at again is not destroyed."
        return [Error(text, id="rightsdesk.E004")]
    return []


def check_identity(**_: Any) -> list[CheckMessage]:
    """Whatever a law wants proven can be proven here, nothing is asked that proves nobody, and nobody's account is taken for
    another's."""
    try:
        laws = [regimes.load(name) for name in regimes.all_ids()]
        data_map = loader.current()
    except RegimeFileError:
        # The check above says what is wrong with it.
        return []
    except DataMapError as error:
        hint = (
            "`manage.py datamap discover` prints a first draft, `manage.py datamap check` says more (docs/datamap.md)."
        )
        return [Error(f"Data map: {message}.", hint=hint, id="rightsdesk.E010") for message in error.messages]
    found: list[CheckMessage] = [
        Error(f"Data map: {message}.", id="rightsdesk.E011") for message in map_check.questions(data_map)
    ]
    offered = _offered(data_map)
    found += [Error(f"Data map: {message}.", id="rightsdesk.E013") for message in map_check.user_ids(data_map)]
    named = len(data_map.identifying)
    for law in laws:
        if rights := tiers.unreached(law, offered):
            text = (
                f"{law.id}: nobody can show who they are surely enough for {', '.join(rights)}: people do not sign in here, and"
                f" the data map names {named} of the {max(tiers.POINTS.values())} fields that they could state."
            )
            hint = "Mark fields of the data map with `identify: true` (docs/datamap.md), or let people sign in here."
            found.append(Error(text, hint=hint, id="rightsdesk.E012"))
    return found


def _offered(data_map: DataMap) -> set[str]:
    """The methods of the law by which a person can show here who they are, without anybody of the desk."""
    offered = {"email_link", "email_code"}
    if any(source.connector == "django_orm" for source in data_map.sources.values()):
        # People who sign in here.
        offered |= {"signed_in", "sign_in_fresh", "mfa"}
    return offered | {name for name, number in tiers.POINTS.items() if len(data_map.identifying) >= number}


def register() -> None:
    """Called once when the app is ready."""
    register_check(check_keys)
    register_check(check_webhook_secret)
    register_check(check_press)
    register_check(check_law)
    register_check(check_identity)
    register_check(check_periods)
    register_check(check_published_measures)


def require_all() -> None:
    """What web and workers call before they begin: keys and guards, and laws as they were recorded, or ImproperlyConfigured
    that says which is missing. A law changed in place would move the dates of requests already received."""
    keys.ensure_development_keys()
    keys.ring()
    guards.require()
    try:
        found = law_problems()
    except RegimeFileError as error:
        found = [str(error)]
    if found:
        raise ImproperlyConfigured("The laws are not as they were recorded. " + " ".join(f"{one}." for one in found))
