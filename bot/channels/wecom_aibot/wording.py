"""Texts as WeCom's markdown shows them unchanged, in pieces counted in bytes; and how a text is known again."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from bot.channels.pieces import GOES_ON, good_end

MOST_BYTES = 20_480
"""Of a markdown message, in UTF-8 (page 101463)."""
_SPARE = 256
"""Bytes kept free for the signs that are widened where a piece begins."""
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

    Blank space at a cut is dropped, otherwise nothing is lost; each further piece shows that it goes on.
    """
    whole = literal(text).strip()
    if size(whole) <= most:
        return [whole] if whole else []
    pieces: list[str] = []
    while whole:
        end = _cut(whole, most - _SPARE)
        pieces.append(f"{GOES_ON if pieces else ''}{literal(whole[:end].rstrip())}")
        whole = whole[end:].lstrip()
    return pieces


def _cut(text: str, most: int) -> int:
    """Where the first piece ends."""
    end = len(text.encode()[: most + 1].decode(errors="ignore"))
    while end and size(text[:end]) > most:
        end -= 1
    if end >= len(text):
        return len(text)
    return good_end(text, 0, end)


def known_as(text: str) -> str:
    """A name for a message by its words, as the platform gives none: the same for the text as it comes back quoted."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return "t" + hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:24]
