"""What a line of chat means: which verb it is, for which appeals, and with what text.

The rules, in the order in which they are tried:

1. A slash (half or full width) makes a command of any known word, glued to Chinese text or not.
2. A mention of the bot before or after the line, or right behind the word, addresses the bot.
3. A bare word, in a group among people, counts alone or before a space, a colon or a line break.
4. A bare word said to the bot (in private, with a mention, as a reply) counts before any punctuation as well,
   and before a number (`接单12`). The four words that raise a matter count glued to Chinese text, too
   (`诉求停电`), unless the two make a longer word or plain talk: 投诉电话, 建议大家, 咨询的.
5. `我的 车坏了` is talk, not a command: bare words that take no text do not swallow one.

English words are never glued to letters: `address` is not `add`. The longest word wins: 不满意 before 满意.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from domain.verbs import INTAKE, Verb

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d"  # a joiner stays inside a joined emoji only
)
_WIDTHS = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_LEADING = re.compile(r"[\s:,、;。!?~—]+")
_NUMBER = re.compile(r"(?:#?lq-\d{4}-0*(\d{1,9})|#?(m-[0-9a-z]{4,10})|(#?)0*(\d{1,9}))(号?)", re.ASCII)
_BETWEEN = re.compile(r"[\s,、]*(?:和|与|及)?[\s,、]*")
_PAUSE = re.compile(r"[、;。!?]|[,:](?!\d)")
_NEXT = re.compile(r"[,和与及][# ]?\d")
_TO_ANOTHER_BOT = re.compile(r"/[^\s@]*@\w{2,32}bot\b", re.ASCII)
_UNKNOWN = re.compile(r"[^\s:,@/]+")
_LONGER = re.compile(
    "[的了过着吗呢吧者量函书稿件箱]|是(?!否)|人(?!社|才|工|行|民)|们|大家|电话|热线|渠道|方式|窗口|平台|中心|信箱|信件"
    "|单号|台账|案例|案件|会议|师(?!资)|进度|进展|结果|情况|[处办]理(?:[得的到]|情况|进度|进展|结果)"
)

_TEXTLESS = frozenset({Verb.MINE, Verb.TODO, Verb.CONSOLE, Verb.CANCEL, Verb.UNDO})
_WITHOUT_NUMBER = INTAKE | {
    Verb.RECORD,
    Verb.POLICY,
    Verb.BIND,
    Verb.LEAVE,
    Verb.STAND_IN,
    Verb.DUTY,
    Verb.HAND_OVER,
    Verb.CLOSURE,
    Verb.LANGUAGE,
    Verb.HELP,
}
_SEVERAL = frozenset({Verb.MERGE})


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line that was read.

    `verb` is None for talk, and for a slash before an unknown `word`. `numbers` are bare (`12`, `M-7K3Q9X`).
    `text` is what follows word and numbers, with its line breaks; `rest` is the same with the numbers in.
    `word` is as it was written, without the slash. `explicit` says that a slash or a mention was written.
    """

    verb: Verb | None
    numbers: tuple[str, ...]
    text: str
    word: str
    explicit: bool
    rest: str = ""


def read(
    text: str,
    vocabulary: Mapping[str, Verb],
    *,
    private: bool,
    addressed: bool,
    bot_names: Collection[str],
) -> Spoken:
    """What a line means. `vocabulary` is case-folded; `bot_names` are the bot's names with or without @.

    `addressed` says that the platform knows the line to be meant for the bot: @-ed or a reply to it.
    """
    line, mentioned = _without_mentions(_Line.of(text), vocabulary, bot_names)
    if _TO_ANOTHER_BOT.match(line.folded):
        return _talk(line, explicit=False)
    slash = line.folded.startswith("/")
    start = _skip_spaces(line.folded, 1) if slash else 0
    to_bot = private or addressed or mentioned
    found = _word(line.folded, start, vocabulary, "slash" if slash else "bot" if to_bot else "group")
    if found is None:
        return _unknown(line, mentioned) if slash else _talk(line, explicit=mentioned)
    verb, end = found
    spoken = _command(line, start, end, verb, explicit=slash or mentioned)
    if verb in _TEXTLESS and not spoken.explicit and any(map(str.isalnum, spoken.text)):
        return _talk(line, explicit=False)
    return spoken


@dataclass(frozen=True, slots=True)
class _Line:
    """A line without invisible characters, and the same, character by character, as it is compared."""

    text: str
    folded: str

    @classmethod
    def of(cls, text: str) -> _Line:
        clean = _INVISIBLE.sub("", text).strip()
        return cls(clean, fold(clean))

    def after(self, start: int) -> str:
        """The text from `start` on, without the separators before it."""
        return self.text[_skip_separators(self.folded, start) :].rstrip()


def lone_number(text: str) -> str | None:
    """The appeal that a line names if it says nothing else: `12`, `#12`, `12号`, `LQ-2026-00012`."""
    folded = fold(_INVISIBLE.sub("", text)).strip()
    found = _number(folded, 0)
    return found[0] if found and not folded[found[1] :].strip(" 。.") else None


def fold(text: str) -> str:
    """Half-width and lower-case, of the same length."""
    half = text.translate(_WIDTHS)
    return "".join(low if len(low := char.lower()) == 1 else char for char in half)


def _without_mentions(
    line: _Line, vocabulary: Mapping[str, Verb], bot_names: Collection[str]
) -> tuple[_Line, bool]:
    """Take the bot's name off where it stands first, last or right behind the command word."""
    names = sorted({fold(name).lstrip("@") for name in bot_names} - {""}, key=len, reverse=True)
    if not names or "@" not in line.folded:
        return line, False
    pattern = re.compile("@(?:" + "|".join(map(re.escape, names)) + ")")
    mentioned = False
    while (shorter := _without_mention(line, vocabulary, pattern)) is not None:
        line, mentioned = shorter, True
    return line, mentioned


def _without_mention(line: _Line, vocabulary: Mapping[str, Verb], pattern: re.Pattern[str]) -> _Line | None:
    for found in pattern.finditer(line.folded):
        start, end = found.span()
        before, after = line.folded[:start].rstrip(), line.folded[end:]
        if not _ends_name(line.folded, end, vocabulary):
            continue
        if not before:
            return _Line.of(line.after(end))
        if not after or before in vocabulary or (before[0] == "/" and not re.search(r"\s", before)):
            return _Line.of(f"{line.text[:start]} {line.text[end:]}")
    return None


def _ends_name(folded: str, end: int, vocabulary: Mapping[str, Verb]) -> bool:
    """Whether a name ends here: `@联企办` names somebody else, `@联企诉求` does not."""
    following = folded[end : end + 1]
    if folded[end - 1].isascii():
        return not re.match(r"\w", following, re.ASCII)
    return not following.isalnum() or any(_prefixes(folded, end, vocabulary))


def _prefixes(folded: str, start: int, vocabulary: Mapping[str, Verb]) -> Iterator[str]:
    """The words that stand at `start`, the longest first."""
    longest = max(map(len, vocabulary), default=0)
    for length in range(min(longest, len(folded) - start), 0, -1):
        if (word := folded[start : start + length]) in vocabulary:
            yield word


def _word(folded: str, start: int, vocabulary: Mapping[str, Verb], manner: str) -> tuple[Verb, int] | None:
    """The verb at `start` and where its word ends."""
    for word in _prefixes(folded, start, vocabulary):
        end = start + len(word)
        if end == len(folded) or _parted(folded, end, vocabulary[word], manner):
            return vocabulary[word], end
    return None


def _parted(folded: str, end: int, verb: Verb, manner: str) -> bool:
    """Whether the word ends at `end`; `manner` is slash, bot (said to it) or group (among people)."""
    following = folded[end]
    if manner == "group":
        return following.isspace() or following == ":"
    if following.isdigit() and _number(folded, end):
        return True
    if folded[end - 1].isascii() and (following in "_-'’/" or _latin(following)):
        return False
    if manner == "slash" or not following.isalnum():
        return True
    return verb in INTAKE and not _LONGER.match(folded, end)


def _latin(char: str) -> bool:
    """A letter or digit of a script that writes words apart."""
    return char.isalnum() and not "\u2e80" <= char <= "\U0003ffff"


def _command(line: _Line, start: int, end: int, verb: Verb, *, explicit: bool) -> Spoken:
    """The numbers behind the word (most verbs take one, some none), then the text."""
    most = 0 if verb in _WITHOUT_NUMBER else 99 if verb in _SEVERAL else 1
    numbers: list[str] = []
    behind = end
    position = _skip_separators(line.folded, end)
    while len(numbers) < most and (found := _number(line.folded, position, listed=most > 1)):
        number, behind = found
        numbers.append(number)
        between = _BETWEEN.match(line.folded, behind)
        position = between.end() if between else behind
    word = line.text[start:end]
    return Spoken(verb, tuple(numbers), line.after(behind), word, explicit, line.after(end))


def _number(folded: str, start: int, *, listed: bool = False) -> tuple[str, int] | None:
    """The appeal named at `start` and where the name ends: 12, #12, 12号, LQ-2026-00012, M-7K3Q9X.

    A plain number must stand apart (12:30, 12台 and 12.5 name no appeal), unless it is `listed` with others.
    """
    found = _NUMBER.match(folded, start)
    if found is None:
        return None
    year, sealed, sign, plain, suffix = found.groups()
    following = folded[found.end() : found.end() + 3]
    if listed and _NEXT.match(following):
        apart = True
    elif suffix:
        apart = not following or following[0].isspace()
    elif plain and not sign:
        apart = not following or following[0].isspace() or bool(_PAUSE.match(following))
    else:
        apart = not re.match(r"[\w-]", following, re.ASCII)
    number = sealed.upper() if sealed else (year or plain)
    return (number, found.end()) if apart and number != "0" else None


def _unknown(line: _Line, mentioned: bool) -> Spoken:
    """A slash before something that is no command; a path or a lone slash is talk."""
    found = _UNKNOWN.match(line.folded, 1)
    if found is None or line.folded.startswith("/", found.end()):
        return _talk(line, explicit=mentioned)
    rest = line.after(found.end())
    return Spoken(None, (), rest, line.text[1 : found.end()], True, rest)


def as_talk(text: str, *, explicit: bool) -> Spoken:
    """A line whose first word is no command of this speaker's."""
    return _talk(_Line.of(text), explicit=explicit)


def _talk(line: _Line, *, explicit: bool) -> Spoken:
    return Spoken(None, (), line.text, "", explicit, line.text)


def _skip_spaces(folded: str, start: int) -> int:
    return len(folded) - len(folded[start:].lstrip())


def _skip_separators(folded: str, start: int) -> int:
    found = _LEADING.match(folded, start)
    return found.end() if found else start
