"""What each law is called, to whom people turn, and what a letter says under it; and the words of the file's keys.

For the American states beside California the sentences are the same but for the names in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

_RECORDS_KEPT = _("We keep a short record of this request to be able to show that we answered it.")
_RECORDS_TWO_YEARS = _("We keep a short record of this request for 24 months, to be able to show that we answered it.")
_NO_EXTENSION = _("This law does not let us take longer.")
_NO_APPEAL = _("There is no appeal to us; you may turn to the authority named above.")


def _state(state: Any, law: Any, short: Any, *, days: int = 45, appeal: int = 60) -> Mapping[str, Any]:
    """The words for one American state: its name, its law, the days of the answer and of the appeal (0: none)."""
    link = _("You may complain to the Attorney General of {state}, online or by letter.")
    if appeal:
        asked = _(
            "If you do not agree, you may appeal to us within a reasonable time: answer this letter and say so. Another"
            " person looks at it, and we answer in writing within {days} days. If the appeal fails, we show you how to"
            " complain to the Attorney General of {state}."
        )
    else:
        asked = _NO_APPEAL
    return {
        "name": format_lazy("{state}: {law}", state=state, law=law),
        "short": short,
        "authority": format_lazy(_("the Attorney General of {state}"), state=state),
        "remedy": format_lazy(link, state=state),
        "appeal": format_lazy(asked, state=state, days=appeal),
        "extension": format_lazy(
            _(
                "Where it is reasonably necessary, the answer may take up to {total} days in all. You are told so,"
                " and why, within the first {days} days."
            ),
            total=days + 45,
            days=days,
        ),
        "identity": _("The law lets us make sure who you are, with reasonable effort, before we carry this out."),
        "records": _RECORDS_TWO_YEARS,
    }


REGIMES: Final[Mapping[str, Mapping[str, Any]]] = {
    "eu_gdpr": {
        "name": _("European Union and EEA: General Data Protection Regulation"),
        "short": _("GDPR"),
        "authority": _(
            "the data protection authority where you live, where you work, or where you think the law was broken"
        ),
        "remedy": _(
            "You may complain to the data protection authority where you live, where you work, or"
            " where you think the law was broken (Article 77 GDPR), and you may go to court"
            " (Article 79 GDPR)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _(
            "Where requests are complex or numerous, the answer may take up to two further months."
            " You are told so, and why, within the first month."
        ),
        "identity": _("We ask for more to prove who you are only where we have reason to doubt it."),
        "records": _RECORDS_KEPT,
    },
    "uk_gdpr": {
        "name": _("United Kingdom: UK GDPR and Data Protection Act"),
        "short": _("UK GDPR"),
        "authority": _("the Information Commissioner"),
        "remedy": _(
            "You may complain to us first, and to the Information Commissioner (Article 77 UK GDPR), and you may go"
            " to court (Article 79 UK GDPR)."
        ),
        "appeal": _(
            "You may complain to us about this: answer this letter and say so. We say within 30 days that we have"
            " your complaint, look into it, and tell you the outcome without undue delay."
        ),
        "extension": _(
            "Where requests are complex or numerous, the answer may take up to two further months."
            " You are told so, and why, within the first month."
        ),
        "identity": _("We ask for proof of who you are only where it is needed and proportionate."),
        "records": _RECORDS_KEPT,
    },
    "ch_fadp": {
        "name": _("Switzerland: Federal Act on Data Protection"),
        "short": _("FADP"),
        "authority": _("the Federal Data Protection and Information Commissioner"),
        "remedy": _(
            "You may report this to the Federal Data Protection and Information Commissioner, and you may bring a"
            " civil action (Articles 32 and 49 FADP)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _("Where 30 days are not enough, we tell you within them by when you have the answer."),
        "identity": _("The law has us make sure who you are, and asks you to help with it."),
        "records": _RECORDS_KEPT,
    },
    "us_ca_ccpa": {
        "name": _("California: Consumer Privacy Act"),
        "short": _("CCPA"),
        "authority": _("the California Privacy Protection Agency or the Attorney General of California"),
        "remedy": _(
            "You may complain to the California Privacy Protection Agency or to the Attorney General of California."
        ),
        "appeal": _NO_APPEAL,
        "extension": _(
            "Where it is reasonably necessary, the answer may take up to 90 days in all. You are"
            " told so, and why, within the first 45 days."
        ),
        "identity": _("The law asks us to check who you are before we show, correct or delete personal data."),
        "records": _("The law makes us keep a record of this request for 24 months; it is used for nothing else."),
    },
    "us_va_vcdpa": _state(_("Virginia"), _("Consumer Data Protection Act"), _("Virginia CDPA")),
    "us_co_cpa": _state(_("Colorado"), _("Privacy Act"), _("Colorado CPA"), appeal=45),
    "us_ct_ctdpa": _state(_("Connecticut"), _("Data Privacy Act"), _("Connecticut DPA")),
    "us_ut_ucpa": _state(_("Utah"), _("Consumer Privacy Act"), _("Utah CPA"), appeal=0),
    "us_tx_tdpsa": _state(_("Texas"), _("Data Privacy and Security Act"), _("Texas DPSA")),
    "us_or_ocpa": _state(_("Oregon"), _("Consumer Privacy Act"), _("Oregon CPA"), appeal=45),
    "us_mt_mtcdpa": _state(_("Montana"), _("Consumer Data Privacy Act"), _("Montana CDPA")),
    "us_ia_icdpa": _state(_("Iowa"), _("Consumer Data Protection Act"), _("Iowa CDPA"), days=90),
    "us_de_dpdpa": _state(_("Delaware"), _("Personal Data Privacy Act"), _("Delaware PDPA")),
    "us_nj_njdpa": _state(_("New Jersey"), _("Data Privacy Act"), _("New Jersey DPA"), appeal=45),
    "us_nh_nhdpa": _state(_("New Hampshire"), _("Data Privacy Act"), _("New Hampshire DPA")),
    "us_ne_ndpa": _state(_("Nebraska"), _("Data Privacy Act"), _("Nebraska DPA")),
    "us_tn_tipa": _state(_("Tennessee"), _("Information Protection Act"), _("Tennessee IPA")),
    "us_mn_mcdpa": _state(_("Minnesota"), _("Consumer Data Privacy Act"), _("Minnesota CDPA"), appeal=45),
    "us_md_modpa": _state(_("Maryland"), _("Online Data Privacy Act"), _("Maryland ODPA")),
    "us_in_incdpa": _state(_("Indiana"), _("Consumer Data Protection Act"), _("Indiana CDPA")),
    "us_ky_kcdpa": _state(_("Kentucky"), _("Consumer Data Protection Act"), _("Kentucky CDPA")),
    "us_ri_ridtppa": _state(
        _("Rhode Island"), _("Data Transparency and Privacy Protection Act"), _("Rhode Island DTPPA")
    ),
    "br_lgpd": {
        "name": _("Brazil: General Data Protection Law"),
        "short": _("LGPD"),
        "authority": _("the National Data Protection Authority (ANPD)"),
        "remedy": _(
            "You may petition the National Data Protection Authority (ANPD) or a consumer protection body (Article 18"
            " LGPD), and you may go to court (Article 22 LGPD)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _NO_EXTENSION,
        "identity": _("We make sure that it is you, or somebody who represents you in law, who asks."),
        "records": _RECORDS_KEPT,
    },
    "ca_pipeda": {
        "name": _("Canada: Personal Information Protection and Electronic Documents Act"),
        "short": _("PIPEDA"),
        "authority": _("the Privacy Commissioner of Canada"),
        "remedy": _(
            "You may complain to the Privacy Commissioner of Canada (section 11 PIPEDA), and then turn to the Federal"
            " Court (section 14)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _(
            "The answer may take up to 30 further days where the law allows it. You are told so, why, and that you may"
            " complain to the Commissioner, within the first 30 days."
        ),
        "identity": _("We ask only for what we need to find your data, and use it for nothing else."),
        "records": _("What you asked for is kept until every way of complaining about our answer is over."),
    },
    "ca_qc_law25": {
        "name": _("Quebec: Act respecting the protection of personal information in the private sector"),
        "short": _("Quebec Law 25"),
        "authority": _("the Commission d’accès à l’information"),
        "remedy": _(
            "Within 30 days of a refusal, or of the day on which our time ran out, you may ask the Commission d’accès"
            " à l’information to examine the disagreement (section 43)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _NO_EXTENSION,
        "identity": _("The law asks you to prove who you are, or that you may act for the person."),
        "records": _("What we refuse to give is kept until every way of complaining about it is over."),
    },
    "au_privacy": {
        "name": _("Australia: Privacy Act"),
        "short": _("Privacy Act (AU)"),
        "authority": _("the Office of the Australian Information Commissioner"),
        "remedy": _(
            "You may complain to us, and then to the Office of the Australian Information Commissioner (section 36"
            " Privacy Act 1988)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _("Where we need longer than 30 days, we tell you early, and why."),
        "identity": _("We ask for as little as possible to make sure who you are, and look at papers without copying."),
        "records": _RECORDS_KEPT,
    },
    "nz_privacy": {
        "name": _("New Zealand: Privacy Act"),
        "short": _("Privacy Act (NZ)"),
        "authority": _("the Privacy Commissioner"),
        "remedy": _("You may complain to the Privacy Commissioner (Part 5 of the Privacy Act 2020)."),
        "appeal": _NO_APPEAL,
        "extension": _(
            "Where 20 working days are not enough, we tell you within them how much longer we need, why, and that you"
            " may complain to the Privacy Commissioner."
        ),
        "identity": _("The law has us make sure who you are before we give you your data."),
        "records": _RECORDS_KEPT,
    },
    "jp_appi": {
        "name": _("Japan: Act on the Protection of Personal Information"),
        "short": _("APPI"),
        "authority": _("the Personal Information Protection Commission"),
        "remedy": _(
            "You may complain to us or to the Personal Information Protection Commission, and you may go to court two"
            " weeks after you asked (Article 39)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _NO_EXTENSION,
        "identity": _("We make sure who you are in the way that we have published."),
        "records": _RECORDS_KEPT,
    },
    "kr_pipa": {
        "name": _("South Korea: Personal Information Protection Act"),
        "short": _("PIPA"),
        "authority": _("the Personal Information Protection Commission, or the helpline 118"),
        "remedy": _(
            "You may turn to the Personal Information Protection Commission, to the dispute mediation committee, or to"
            " the helpline 118 of the Internet and Security Agency."
        ),
        "appeal": _(
            "If you do not agree, you may object: answer this letter and say so. Another person looks at it (Article 38)."
        ),
        "extension": _(
            "Access may be put off for a just cause. You are told why, and how to object; it goes on without delay once"
            " the cause is gone."
        ),
        "identity": _("The law has us check who you are, or that you may act for the person."),
        "records": _RECORDS_KEPT,
    },
    "sg_pdpa": {
        "name": _("Singapore: Personal Data Protection Act"),
        "short": _("PDPA"),
        "authority": _("the Personal Data Protection Commission"),
        "remedy": _("You may ask the Personal Data Protection Commission to review this (section 48H PDPA)."),
        "appeal": _NO_APPEAL,
        "extension": _("Where 30 days are not enough, we tell you in writing within them by when you have the answer."),
        "identity": _("We need enough detail to know who you are."),
        "records": _("What we refuse to give is kept for 30 days after the refusal, or until a review of it is over."),
    },
    "in_dpdp": {
        "name": _("India: Digital Personal Data Protection Act"),
        "short": _("DPDP Act"),
        "authority": _("the Data Protection Board of India"),
        "remedy": _(
            "You may bring a grievance to us, which we answer within 90 days (section 13), and then turn to the Data"
            " Protection Board of India."
        ),
        "appeal": _(
            "You may bring a grievance to us: answer this letter and say so. We answer within 90 days (section 13)."
        ),
        "extension": _NO_EXTENSION,
        "identity": _("We know you by what we have published, such as your user name."),
        "records": _RECORDS_KEPT,
    },
    "za_popia": {
        "name": _("South Africa: Protection of Personal Information Act"),
        "short": _("POPIA"),
        "authority": _("the Information Regulator (South Africa)"),
        "remedy": _(
            "You may complain to the Information Regulator (section 74 POPIA), and you may go to court (section 99)."
        ),
        "appeal": _NO_APPEAL,
        "extension": _(
            "For a copy the answer may take up to 30 further days where the law allows it. You are told so, and why,"
            " within the first 30 days."
        ),
        "identity": _("The law asks you for adequate proof of who you are."),
        "records": _RECORDS_KEPT,
    },
    "default": {
        "name": _("Everywhere else: our own promise"),
        "short": _("Own promise"),
        "authority": _("the data protection authority of your place, where there is one"),
        "remedy": _("You may turn to the data protection authority of your place, where there is one."),
        "appeal": _(
            "If you do not agree, you may appeal to us: answer this letter and say so. Another person looks at it, and"
            " we answer within 30 days."
        ),
        "extension": _(
            "Where it is necessary, the answer may take up to 60 days in all. You are told so, and why, within the"
            " first 30 days."
        ),
        "identity": _("We ask for what is needed to make sure that it is you, and no more."),
        "records": _RECORDS_TWO_YEARS,
    },
}

STATUSES: Final[Mapping[str, Any]] = {
    "in_force": _("In force"),
    "not_yet_in_force": _("Not yet in force"),
    "policy": _("Policy of the company"),
}

CHECKED: Final[Mapping[str, Any]] = {
    "verified": _("Looked up in the source"),
    "partly_verified": _("Partly looked up in the source"),
    "policy": _("Policy, nothing to look up"),
}

BASES: Final[Mapping[str, Any]] = {
    "statute": _("Law"),
    "guidance": _("Guidance of the authorities"),
    "policy": _("Own policy"),
}

CHARGES: Final[Mapping[str, Any]] = {
    "over_the_free_number": _("more requests than are free"),
    "unfounded": _("manifestly unfounded requests"),
    "excessive": _("excessive requests"),
    "repetitive": _("repetitive requests"),
    "further_copies": _("further copies"),
    "disproportionate": _("effort out of proportion"),
    "cost_announced": _("a cost announced beforehand"),
    "access_cost": _("the cost of giving access"),
}

SECRETS: Final[Mapping[str, Any]] = {
    "social_security_number": _("social security number"),
    "government_id": _("driving licence or other government number"),
    "financial_account": _("number of a financial account"),
    "health_insurance_id": _("health insurance number"),
    "medical_id": _("medical number"),
    "password": _("password"),
    "security_question": _("security question and answer"),
    "biometric": _("unique biometric data"),
}

SIGNALS: Final[Mapping[str, Any]] = {
    "required": _("An opt-out signal of the browser must be followed."),
    "not_required": _("An opt-out signal of the browser need not be followed."),
    "honoured": _("An opt-out signal of the browser is followed of our own accord."),
}

APPEALS: Final[Mapping[str, Any]] = {
    "none": _("No appeal to the company"),
    "internal": _("Appeal to another person of the company"),
    "controller_complaint": _("Complaint to the company"),
}

ROLLOVERS: Final[Mapping[str, Any]] = {
    "none": _("A last day on a weekend or a holiday does not move."),
    "next_working_day": _("A last day on a Saturday, a Sunday or a public holiday moves to the next working day."),
    "next_day_not_sunday_or_holiday": _(
        "A last day on a Sunday or a public holiday moves to the next day that is neither; a Saturday counts."
    ),
}
