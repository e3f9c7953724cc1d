"""Which language a short text is probably in, by its small words. A hint for staff, never a decision."""

import re
from typing import Final

_WORDS: Final = re.compile(r"[^\W\d_]+")
_SMALL_WORDS: Final[dict[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and of to my you your i is are that this for with on have please it be not from as any all by",
        "de": "der die das und ich sie mir mich mein meine meinen meiner ist nicht zu von mit für bitte "
        "ein eine auf im den dem "
        "bei aus ihnen ihre alle hiermit",
        "fr": "le la les des et je vous mes mon ma de du est pas pour que une dans sur avec votre vos au "
        "aux ne merci tout toutes",
        "es": "el la los las y de mis mi que por una para con su sus es no del en me favor quiero todos este como al",
        "it": "il lo la gli le di e che mi mio miei mia mie per con un una non del della dei sono vi "
        "vostro favore tutti i",
        "nl": "de het een en ik u mijn van is niet te voor met dat op alle graag jullie uw aan mij wil bij naar",
        "pt": "o a os as e de meus meu minha minhas que por uma para com não do da dos em me favor quero todos sua um",
        "pl": "i w na z do że nie moje moich mój proszę się mnie o jest są po od za dla moja swoje wszystkie przez",
        "sv": "och jag ni mina min mitt att det som är inte för med på en ett av från er alla vill till har den om",
        "da": "og jeg i mine min mit at det som er ikke for med på en et af fra jer alle vil til har den "
        "om venligst mig",
        "no": "og jeg dere mine min mitt å det som er ikke for med på en et av fra alle vil til har den om "
        "vennligst meg",
        "fi": "ja minun minä että on ei haluan kaikki pyydän minua tietoni tiedot tilini se ovat olen te "
        "teidän minusta voitteko",
        "cs": "a já mé moje můj že je ne prosím o se na v s z do mých všechny mi mě pro žádám které podle jsem",
        "el": "και το τα την της των με να που για μου σας στο στην από δεν είναι σε ένα μια",
        "hr": "i ja moje moj moji da je nije molim vas se na u s iz sve mene za koji koje ste od mi me",
    }.items()
}


def ranked(text: str) -> tuple[str, ...]:
    """Languages whose small words occur in `text`, the likeliest first; empty for a text in none of them."""
    words = _WORDS.findall(text[:4000].lower())
    scores = {language: sum(1 for word in words if word in small) for language, small in _SMALL_WORDS.items()}
    found = [language for language, score in scores.items() if score]
    return tuple(sorted(found, key=lambda language: (-scores[language], language)))


def likely(text: str) -> str:
    """The likeliest language as an ISO 639-1 code, or an empty string where too little speaks for one."""
    words = _WORDS.findall(text[:4000].lower())
    order = ranked(text)
    if not order or len(words) < 2:
        return ""
    hits = sum(1 for word in words if word in _SMALL_WORDS[order[0]])
    return order[0] if hits * 8 >= len(words) else ""
