"""Rights cited by article: GDPR Art. 15 to 21 and CCPA § 1798.100 to .121. Text comes folded, see
`classify.fold`.
"""

import re
from collections.abc import Iterator
from typing import Final

_GDPR: Final = {
    15: "access",
    16: "correction",
    17: "deletion",
    18: "restriction",
    20: "portability",
    21: "objection",
}
_CCPA: Final = {
    100: "know", 105: "deletion", 106: "correction", 110: "know", 115: "know", 120: "opt_out_sale", 121:
    "limit_sensitive",
}  # fmt: skip
GDPR_NAME: Final = (
    r"(?:gdpr|ds-?gvo|rgpd|avg|rodo|dsgvo|data ?protection regulation|datenschutz-?grundverordnung|2016/679)"
)
_ARTICLE: Final = re.compile(
    r"\b(?:art(?:icles?|ikels?|icles?|iculos?|icolo|igos?|ikla|ykul\w*)?|cl(?:ane?k\w*|\.)?|cl|αρθρο\w*|"
    r"αρθρου)\.? "
    r"?(\d{1,2})\b(?:[ ,.]{0,3}(?:\(|abs\.? ?|para\w*\.? ?|paragraph ?|alinea ?|lid ?|odst\.? ?|stav\w* ?|"
    r"ust\.? ?|§ ?|n\.? ?"
    r"|παραγραφο\w? ?|comma ?|apartado ?|stk\.? ?|punkt ?)? ?(\d)\b)?"
)
_CCPA_SECTION: Final = re.compile(r"\b1798\.(\d{3})\b")
COMPLAINT: Final = re.compile(rf"\b(?:art\w*|cl\w*|αρθρο)\.? ?77\b.{{0,30}}{GDPR_NAME}")
MARKETING: Final = re.compile(
    r"direct(?:a|e|o)? ?marketing|direktwerbung|werbezweck|marketing|prospection|publicit|"
    r"direktmarknadsforing|markedsforing|"
    r"suoramarkkinoin|μαρκετινγκ|εμπορικη προωθηση"
)


def citations(sentence: str, named: bool) -> Iterator[tuple[str, str]]:
    """Pairs of a right and the words that cite it. `named`: whether the mail names the GDPR anywhere.

    Art. 21(2) is the objection to direct marketing; Art. 17(2) and (3) are about others and exceptions.
    """
    for match in _ARTICLE.finditer(sentence) if named else ():
        number, paragraph = int(match.group(1)), match.group(2)
        right = _GDPR.get(number)
        if number == 21 and (paragraph in ("2", "3") or MARKETING.search(sentence)):
            right = "marketing_opt_out"
        if (number == 17 and paragraph in ("2", "3")) or right is None:
            continue
        yield right, match.group(0)
    for match in _CCPA_SECTION.finditer(sentence):
        right = _CCPA.get(int(match.group(1)))
        if right is not None:
            yield right, match.group(0)
