"""Away with what is seen and not said: markdown, HTML, code, links, chat markup.

Every pattern is bounded or anchored, so that hostile text costs no more than other text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})")
_SCRIPT = re.compile(r"<(script|style)\b[^>]{0,300}>", re.I)
_COMMENT = re.compile(r"<!--[^<>]{0,2000}-->")
_BREAK_TAG = re.compile(r"</?(?:br|p|div|li|ul|ol|h[1-6]|tr|table)\b[^<>]{0,300}>", re.I)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]{0,30}(?:\s[^<>]{0,500})?/?>")
_DISCORD = re.compile(r"<(?:@[!&]?|#|a?:\w{1,40}:|t:|/[\w -]{1,40}:)\d{1,25}(?::[a-zA-Z])?>")
_SHORTCODE = re.compile(r"(?<![\w:]):[a-z][a-z0-9_+-]{1,30}:(?![\w:])")
_IMAGE = re.compile(r"!\[([^\[\]\n]{0,300})\]\([^()\s]{0,500}(?:\s\"[^\"\n]{0,200}\")?\)")
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\([^()\s]{0,500}(?:\s\"[^\"\n]{0,200}\")?\)")
_REFERENCE = re.compile(r"\[([^\[\]\n]{1,300})\]\[[^\[\]\n]{0,100}\]")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\n]{1,40}\]:?")
_URL = re.compile(
    r"<?\b(?:https?|ftp)://[^\s<>]{1,2000}[^\s<>.,;:!?)\]'\"*_]>?|\bwww\.[^\s<>]{3,500}", re.I
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,40}@(?:[\w-]{1,40}\.){1,4}[A-Za-z]{2,10}\b")
_DOMAIN = re.compile(
    r"(?<![\w.@/-])(?:[a-z0-9-]{1,40}\.){1,3}(?:com|org|net|edu|gov|io|co|uk|de|fr|dev|app|ai)"
    r"(?:/[^\s]{0,300})?(?![\w-])",
    re.I,
)
_INLINE_CODE = re.compile(r"(`{1,3})([^`\n]{1,300})\1")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
_RULE = re.compile(r"^\s{0,3}(?:[-_*=~]\s?){3,}$")
_QUOTE = re.compile(r"^(?:\s{0,3}>\s?)+")
_ITEM = re.compile(r"^\s{0,12}(?:[-*+•‣◦▪]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_TABLE_RULE = re.compile(r"^[\s|:+-]*-{2,}[\s|:+-]*$")
_STRONG = re.compile(r"(\*\*\*|\*\*|__|~~|\|\|)(?=\S)")
_STRONG_END = re.compile(r"(?<=\S)(\*\*\*|\*\*|__|~~|\|\|)")
_ENDS = ".!?…:;,"


@dataclass(frozen=True)
class Placeholders:
    """What is said in place of what cannot be read aloud."""

    some_code: str = "some code"
    a_link: str = "a link"
    at: str = "at"
    dot: str = "dot"


ENGLISH = Placeholders()


def without_markup(text: str, said: Placeholders = ENGLISH) -> str:
    """Plain lines; an empty line between paragraphs.

    Single asterisks and underscores stay: they may mean stage directions.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = _without_html(_without_code_blocks(text, said.some_code))
    text = _DISCORD.sub(" ", text)
    text = _SHORTCODE.sub(" ", text)
    text = _IMAGE.sub(r" \1 ", text)
    text = _FOOTNOTE.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    text = _REFERENCE.sub(r"\1", text)
    text = _INLINE_CODE.sub(lambda match: _code(match.group(2), said.some_code), text)
    text = _EMAIL.sub(lambda match: _spelled_out(match.group(), said), text)
    text = _URL.sub(said.a_link, text)
    text = _DOMAIN.sub(lambda match: _spelled_out(match.group().split("/")[0], said), text)
    lines = [_line(line) for line in text.split("\n")]
    text = "\n".join(line for line in lines if line is not None)
    return _STRONG_END.sub("", _STRONG.sub("", text))


def _without_code_blocks(text: str, some_code: str) -> str:
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if fence:
            if match and match.group(1).startswith(fence) and not line.strip().strip("`~"):
                fence = ""
        elif match and line.count("```") < 2:
            fence = match.group(1)[:3]
            kept.append(f"{some_code}.\n" if some_code else "\n")
        else:
            kept.append(line)
    return "\n".join(kept)


def _without_html(text: str) -> str:
    if "<" in text:
        text = _without_scripts(_COMMENT.sub(" ", text))
        text = _BREAK_TAG.sub("\n", text)
        text = _TAG.sub("", text)
    return html.unescape(text) if "&" in text else text


def _without_scripts(text: str) -> str:
    kept: list[str] = []
    position = 0
    while match := _SCRIPT.search(text, position):
        kept.append(text[position : match.start()])
        end = text.lower().find(f"</{match.group(1).lower()}", match.end())
        if end < 0:
            position = match.end()
            break
        position = end
    kept.append(text[position:])
    return "".join(kept)


def _code(content: str, some_code: str) -> str:
    letters = sum(char.isalnum() or char in " ._-" for char in content)
    if len(content) > 40 or letters < 0.7 * len(content):
        return some_code
    return re.sub(r"[_()]+", " ", content).strip()


def _spelled_out(address: str, said: Placeholders) -> str:
    if len(address) > 48:
        return said.a_link
    address = address.replace("@", f" {said.at} ").replace(".", f" {said.dot} ")
    return address.replace("_", " ").replace("+", " ")


def _line(line: str) -> str | None:
    """A line without what marks it; None for a line that is only a mark."""
    if not line.strip():
        return ""
    if _RULE.match(line[:200]) or (line.count("|") + line.count("-") > 2 and _is_table_rule(line)):
        return None
    line = _QUOTE.sub("", line)
    heading = _HEADING.match(line[:1_000])
    if heading:
        return _ended(heading.group(1)) + "\n"
    if line.strip().startswith("|") and line.strip().endswith("|") and line.count("|") > 2:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        return _ended(", ".join(cell for cell in cells if cell))
    item = _ITEM.match(line)
    if item:
        return _ended(line[item.end() :])
    return line.strip()


def _is_table_rule(line: str) -> bool:
    return len(line) <= 500 and bool(_TABLE_RULE.match(line))


def _ended(line: str) -> str:
    """With a full stop, so that list items and headings are sentences."""
    line = line.strip()
    bare = line.rstrip("*_~")
    return line if not bare or bare[-1] in _ENDS else line + "."
