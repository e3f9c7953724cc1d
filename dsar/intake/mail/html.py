"""HTML mail as plain text. Nothing is rendered, fetched or kept as HTML."""

import html
import re
from importlib import import_module
from typing import Final

from dsar.intake.mail.limits import HTML_CHARS, HTML_DEPTH

_TAG_NAME: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,20})")
_VOID: Final = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "tr",
        "th",
        "dd",
        "dt",
        "option",
    ]
)
_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
_SILENT: Final = ("script", "style", "head", "title", "template")


def to_text(source: str) -> tuple[str, tuple[str, ...]]:
    """Text of an HTML body, and flags: `html_simplified` where it was too deep or too large for the layout
    engine.
    """
    flags = ["html_truncated"] if len(source) > HTML_CHARS else []
    source = source[:HTML_CHARS]
    if depth(source) <= HTML_DEPTH:
        text = _layout(source)
        if text.strip():
            return text, tuple(flags)
    return strip_tags(source), (*flags, "html_simplified")


def depth(source: str) -> int:
    """The deepest nesting of elements, in one pass; unclosed elements count."""
    level = deepest = 0
    for closing, name in re.findall(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})", source):
        if name.lower() in _VOID:
            continue
        level = max(0, level - 1) if closing else level + 1
        deepest = max(deepest, level)
    return deepest


def _layout(source: str) -> str:
    # Both ship no types, are slow to import and only needed for HTML mail.
    failure = import_module("lxml.etree").LxmlError
    layout = import_module("inscriptis")
    try:
        return str(layout.get_text(source))
    except (
        failure,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        AssertionError,
    ):
        return ""


def strip_tags(source: str) -> str:
    """Text between the tags, one pass, blocks as lines; comments and scripts left out."""
    out: list[str] = []
    position = 0
    while True:
        start = source.find("<", position)
        if start < 0:
            out.append(source[position:])
            break
        out.append(source[position:start])
        if source.startswith("<!--", start):
            end = source.find("-->", start + 4)
            if end < 0:
                break
            position = end + 3
            continue
        name = _TAG_NAME.match(source, start + 1)
        if name is None and not source.startswith(("<!", "<?"), start):
            out.append("<")
            position = start + 1
            continue
        end = source.find(">", start)
        if end < 0:
            break
        position = end + 1
        tag = name.group(1).lower() if name is not None else ""
        if tag in _SILENT and source[start + 1] != "/":
            found = re.compile(rf"</{tag}\b", re.IGNORECASE).search(source, position)
            if found is None:
                break
            position = found.start()
        elif tag in _BLOCKS:
            out.append("\n")
    text = html.unescape("".join(out))
    return re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"[ \t\xa0]+", " ", text)).strip()
