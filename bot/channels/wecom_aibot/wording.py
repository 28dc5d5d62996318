"""Texts as WeCom's markdown shows them unchanged, in pieces counted in bytes; and how a text is known again."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

MOST_BYTES = 20_480
"""Of a markdown message, in UTF-8 (page 101463)."""
_SPARE = 256
"""Bytes kept free for the signs that are widened where a piece begins."""
_ENDS = ("\n\n", "\n", "。", "；", "！", "？", ". ", "，", " ")
"""Where a text is best cut, the best first."""
_ADDRESS = re.compile(r"https?://[^\s<>\[\]()*`~\"，。；！？（）【】“”]+")
_PAIRED = "*_`"
_MARKS: Sequence[re.Pattern[str]] = (
    re.compile(r"^ {0,3}#{1,6}(?=[ \t]|$)", re.MULTILINE),  # a heading
    re.compile(r"^[ \t]*>+", re.MULTILINE),  # a quotation
    re.compile(r"^[ \t]*(?:-[ \t]*){2,}$|^[ \t]*=+[ \t]*$", re.MULTILINE),  # a rule, or a heading underlined
    re.compile(r"^[ \t|:-]*\|[ \t|:-]*$", re.MULTILINE),  # what makes a table of the lines around it
    re.compile(r"\](?=[(\[])"),  # a link
    re.compile(r"<(?=[A-Za-z/@!?])"),  # a colour, a call by name, HTML
    re.compile(r"~{2,}"),
    re.compile(r"\\(?=[!-/:-@\[-`{-~])"),  # an escape
    re.compile(r"&(?=#?\w{1,32};)"),  # an entity
)
_WIDE = {sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)}
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")


def literal(text: str) -> str:
    """The text with every sign that would be taken for markup in its full-width form; addresses go on working.

    No escape is documented, and the backslash has been seen to be shown: so the sign itself gives way.
    """
    pieces, begin = [], 0
    paired = tuple(sign for sign in _PAIRED if text.count(sign) > 1)
    for address in _ADDRESS.finditer(text):
        spelled = address[0].replace("_", "%5F") if "_" in paired else address[0]
        pieces += [_widened(text[begin : address.start()], paired), spelled]
        begin = address.end()
    widened = "".join([*pieces, _widened(text[begin:], paired)])
    return re.sub(r"^(?: {4,}|\t+)", lambda indent: "\u3000" * len(indent[0]), widened, flags=re.MULTILINE)


def _widened(text: str, paired: Sequence[str]) -> str:
    for mark in _MARKS:
        text = mark.sub(lambda found: found[0].translate(_WIDE), text)
    return text.translate({ord(sign): _WIDE[ord(sign)] for sign in paired})


def size(text: str) -> int:
    """How long WeCom finds a text: bytes of UTF-8."""
    return len(text.encode())


def split(text: str, most: int = MOST_BYTES) -> list[str]:
    """Literal pieces of at most so many bytes, cut at the end of a line or sentence, never within a character.

    Blank space at a cut is dropped, otherwise nothing is lost.
    """
    whole = literal(text).strip()
    if size(whole) <= most:
        return [whole] if whole else []
    pieces: list[str] = []
    while whole:
        end = _cut(whole, most - _SPARE)
        pieces.append(literal(whole[:end].rstrip()))
        whole = whole[end:].lstrip()
    return pieces


def _cut(text: str, most: int) -> int:
    """Where the first piece ends."""
    end = len(text.encode()[: most + 1].decode(errors="ignore"))
    while end and size(text[:end]) > most:
        end -= 1
    if end >= len(text):
        return len(text)
    for stop in _ENDS:
        found = text.rfind(stop, end // 2, end)
        if found >= 0:
            return found + len(stop)
    return _between_characters(text, end)


def _between_characters(text: str, end: int) -> int:
    """The last place before `end` at which no character, as people see it, is cut; `end` where it is far off."""
    at = end
    while at > max(0, end - 64):
        if not _joined(text, at):
            return at
        at -= 1
    return end


def _joined(text: str, at: int) -> bool:
    """Whether what stands before and after belongs together: an accent, a joined emoji, a flag."""
    before, after = text[at - 1], text[at]
    if before == "\u200d" or after in _JOINERS or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    flags = 0
    while _is_flag(after) and flags < at and _is_flag(text[at - 1 - flags]):
        flags += 1
    return flags % 2 == 1


def _is_flag(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def known_as(text: str) -> str:
    """A name for a message by its words, as the platform gives none: the same for the text as it comes back quoted."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return "t" + hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:24]
