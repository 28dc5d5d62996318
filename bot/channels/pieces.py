"""Long texts in pieces of so many bytes, cut where a paragraph, a line or a sentence ends."""

from domain.words import between_signs

GOES_ON = "…"
"""How every piece but the first begins: none can be taken for a message of its own, whatever stands in it."""
_ENDS = ("\n\n", "\n", "。", "；", "！", "？", ". ", "，", " ")
"""Where a text is best cut, the best first."""


def pieces(text: str, most: int) -> list[str]:
    """Pieces of at most `most` bytes of UTF-8; only blank space at a cut is lost, and no character is torn."""
    found: list[str] = []
    rest, begins = text.strip(), ""
    while rest:
        end = _cut(rest, most - len(begins.encode()))
        found.append(begins + rest[:end].rstrip())
        rest, begins = rest[end:].lstrip(), GOES_ON
    return found


def _cut(text: str, most: int) -> int:
    """Where the first piece ends."""
    end = len(text.encode()[:most].decode(errors="ignore"))
    return end if end == len(text) else good_end(text, 0, end)


def good_end(text: str, begin: int, end: int) -> int:
    """Where a piece that begins there and may go to `end` is best cut: behind a sentence, never within a character."""
    half = begin + (end - begin) // 2
    for stop in _ENDS:
        found = text.rfind(stop, half, end)
        best = found + len(stop)
        if found >= 0 and between_signs(text, best) == best:
            return best
    return max(between_signs(text, end), begin + 1)
