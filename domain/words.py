"""What people write, made fit to be kept and to be told: nothing invisible in it, nothing that works as a sign."""

import re
import unicodedata

MOST_TEXT = 3000
MOST_TITLE = 24
LEAST_TITLE = 4
MOST_NAME = 64
MOST_GROUP = 128
MOST_SUFFIX = 8
MOST_MARKS = 4
"""Marks on one letter; who sets more builds towers over the lines above."""
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc]")
"""What is called a letter or a sign, and shows nothing."""
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,8}")
_LOOSE = re.compile("(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d")
"""A joiner that joins no emoji."""
_CLINGING = frozenset("\u200d\ufe0e\ufe0f\u20e3")
_ADDRESS = "(?i:https?)://[!-~]+"
_SIGN = re.compile(
    rf"(?P<address>{_ADDRESS})|(?<![\w/<>])/(?=\w)|(?<![A-Za-z0-9_])@(?=\w)|\b(?i:tg|ton|tonsite):(?=//)"
)
_SIGN_IN_ADDRESS = re.compile(r"(?<=[,=;&?#!'()*|\"\[\]])[/@](?=\w)")
_WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "/@:"}
_SENTENCE_END = re.compile("[\n。！？!?；;]")
_PHONE = re.compile(r"(?<!\d)(?:[1１]\d{2}(?:[- ]?\d{4}){2}|[0０]\d{2,3}[- ]?\d{7,8})(?!\d)")
_CLAUSE_END = re.compile("[，,、]")


def cleaned(text: str) -> str:
    """The text without control, direction, invisible and surrogate characters, and without towers of marks.

    Line breaks and tabs stay, edges are trimmed.
    """
    text = _UNSEEN.sub("", _LOOSE.sub("", _LINE_ENDS.sub("\n", text)))
    flags = {at for flag in _FLAG.finditer(text) for at in range(flag.start(), flag.end())}
    seen = (char for at, char in enumerate(text) if at in flags or not _is_hidden(char))
    return _low("".join(seen)).strip()


def _is_hidden(char: str) -> bool:
    return char not in "\n\t\u200d" and unicodedata.category(char)[0] == "C"


def _low(text: str) -> str:
    """No letter bears more marks than any script sets."""
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def shown_name(name: str, most: int = MOST_NAME) -> str:
    """A name that somebody has given himself or a group: on one line, and not too long for it."""
    tidy = " ".join(cleaned(name).split())
    return tidy if len(tidy) <= most else tidy[: between_signs(tidy, most)]


def shown_file(name: str) -> str:
    """The same for a file: the last part of a path, which keeps its ending, and nothing that confuses a disk."""
    last = shown_name(name.replace("\\", "/").rpartition("/")[2], len(name)).replace('"', "'").strip(". ")
    stem, dot, ending = last.rpartition(".")
    if not (stem and dot and len(ending) <= MOST_SUFFIX):
        return shown_name(last) or "file"
    return f"{shown_name(stem, MOST_NAME - len(ending) - 1)}.{ending}"


def quieted(text: str) -> str:
    """What somebody wrote, as a message may repeat it: it calls nobody by name, and nothing in it can be pressed.

    @ before a name, / before a command and the addresses of profiles are shown in their full width. Addresses of pages
    go on working: what they show is where they lead.
    """
    return _SIGN.sub(_quiet, text)


def _quiet(found: re.Match[str]) -> str:
    if found["address"]:
        return _SIGN_IN_ADDRESS.sub(lambda sign: f"%{ord(sign[0]):02X}", found[0])
    return found[0].translate(_WIDE)


def between_signs(text: str, end: int) -> int:
    """The last place up to `end` at which nothing is cut that people see as one sign; `end` where it is far off."""
    at = min(end, len(text))
    while at > max(0, end - 64):
        if at == len(text) or not _joined(text, at):
            return at
        at -= 1
    return end


def _joined(text: str, at: int) -> bool:
    """Whether what stands before and after belongs together: an accent, a joined emoji, a flag."""
    before, after = text[at - 1], text[at]
    if before == "\u200d" or after in _CLINGING or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    flags = 0
    while _is_flag(after) and flags < at and _is_flag(text[at - 1 - flags]):
        flags += 1
    return flags % 2 == 1


def _is_flag(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def without_phones(text: str) -> str:
    """The text with every telephone number in it made unreadable but for its ends."""
    return _PHONE.sub(lambda found: f"{found[0][:3]}****{found[0][-2:]}", text)


def title_of(text: str) -> str:
    """A short name for a matter: its first clause (or more, where that says too little), at most 24 characters."""
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0].strip() or text.strip()
    clauses = [end.start() for end in _CLAUSE_END.finditer(first) if LEAST_TITLE <= end.start() <= MOST_TITLE]
    if clauses:
        return first[: clauses[0]]
    return first if len(first) <= MOST_TITLE else first[: between_signs(first, MOST_TITLE - 1)] + "…"
