"""Long texts in pieces of so many bytes, cut where a paragraph, a line or a sentence ends."""

_ENDS = ("\n\n", "\n", "。", "；", "！", "？", ". ", "，", " ")
"""Where a text is best cut, the best first."""


def pieces(text: str, most: int) -> list[str]:
    """Pieces of at most `most` bytes of UTF-8; only blank space at a cut is lost, and no character is torn."""
    found: list[str] = []
    rest = text.strip()
    while rest:
        end = _cut(rest, most)
        found.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return found


def _cut(text: str, most: int) -> int:
    """Where the first piece ends."""
    end = len(text.encode()[:most].decode(errors="ignore"))
    if end == len(text):
        return end
    for stop in _ENDS:
        found = text.rfind(stop, end // 2, end)
        if found >= 0:
            return found + len(stop)
    return end
