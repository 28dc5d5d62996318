"""What people write, made fit to be kept: no control or direction characters, a title out of the first line."""

import re
import unicodedata

MOST_TEXT = 3000
MOST_TITLE = 24
LEAST_TITLE = 4
_DIRECTION = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_SENTENCE_END = re.compile("[\n。！？!?；;]")
_PHONE = re.compile(r"(?<!\d)(?:[1１]\d{2}(?:[- ]?\d{4}){2}|[0０]\d{2,3}[- ]?\d{7,8})(?!\d)")
_CLAUSE_END = re.compile("[，,、]")


def cleaned(text: str) -> str:
    """The text without control, direction and surrogate characters; line breaks and tabs stay, edges are trimmed."""
    visible = _DIRECTION.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (char for char in visible if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs", "Cn", "Co"))
    return "".join(kept).strip()


def without_phones(text: str) -> str:
    """The text with every telephone number in it made unreadable but for its ends."""
    return _PHONE.sub(lambda found: f"{found[0][:3]}****{found[0][-2:]}", text)


def title_of(text: str) -> str:
    """A short name for a matter: its first clause (or more, where that says too little), at most 24 characters."""
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0].strip() or text.strip()
    clauses = [end.start() for end in _CLAUSE_END.finditer(first) if LEAST_TITLE <= end.start() <= MOST_TITLE]
    if clauses:
        return first[: clauses[0]]
    return first if len(first) <= MOST_TITLE else first[: MOST_TITLE - 1] + "…"
