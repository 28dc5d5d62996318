"""Finds the numbers in a line that lead to a person: mobile and landline telephones, identity cards, bank cards.

The line is read with full-width signs as plain ones and escapes as blanks, in the same places. Then groups of digits
with at most two signs between them are put together, and what they make is judged by length, form and check digit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

_PLAIN = {0xFF01 + n: chr(0x21 + n) for n in range(94)}
_PLAIN |= {ord(blank): " " for blank in "\u3000\u00a0\u2002\u2003\u2009\u200b\t"}
_PLAIN |= {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2212"}
_PLAIN |= {ord("【"): "(", ord("】"): ")", ord("〔"): "[", ord("〕"): "]"}
_ESCAPE = re.compile(r"%2B|%(?:20|28|29|2D|3A|3D|0A|0D)|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[nrt]", re.IGNORECASE)

_RUN = re.compile(r"[0-9]+(?:(?:[ .()\-]{1,2}|转| ?ext\.? ?)[0-9]+)*", re.IGNORECASE)
_GROUP = re.compile(r"[0-9]+")
_MOST_GROUPS = 11

_LABELS = r"(?:tel|phone|mobile|mob|cell|call|fax|wx|wechat|weixin|shouji|dianhua|idcard|sfz|card|id|no|m|t)"
_LABEL_BEFORE = re.compile(rf"(?:(?<![0-9a-z_]){_LABELS}|[a-z]+_)$", re.IGNORECASE)
_PART_OF_A_NAME = re.compile(r"[0-9A-Za-z_]$")
_CONTINUES = re.compile(r"(?:[0-9A-Za-z_]*[0-9][0-9A-Za-z_]*-|[0-9]\.)$")
_GOES_ON = re.compile(r"-[0-9A-Za-z_]*[0-9]|\.[0-9]|[A-Za-z_]")

_MOBILE = re.compile(r"(?:0086|86|0)?(1[3-9][0-9]{9})")
_MOBILE_FORMS = frozenset(
    {
        (11,), (3, 8), (7, 4), (5, 6), (3, 4, 4), (4, 3, 4), (4, 4, 3), (3, 3, 5), (5, 3, 3),
        (3, 2, 3, 3), (3, 3, 3, 2), (3, 2, 2, 2, 2), (1,) * 11,
    }
)  # fmt: skip
_LANDLINE = re.compile(r"(?:(?:0086|86)0?|0)(?P<area>10|2[0-57-9]|[3-9][1-9][0-9])(?P<local>[2-8][0-9]{6,7})")
_LANDLINE_FORMS = frozenset({(7,), (8,), (4, 4), (3, 4), (4, 3), (2, 2, 3), (2, 2, 2, 2), (3, 5), (1, 3, 4)})
_LABELLED = re.compile(
    r"(?:电话|座机|固话|热线|传真|联系方式|tel|phone|fax)[号码是为]{0,3}[:= \"']{0,3}$", re.IGNORECASE
)
_BANK = re.compile(
    r"62[0-9]{14,17}|4[0-9]{15}(?:[0-9]{3})?|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|35[0-9]{14}"
    r"|6[045][0-9]{14}(?:[0-9]{3})?|95[0-9]{14}(?:[0-9]{3})?"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES = frozenset({*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)})
_PROVINCES |= {71, 81, 82, 83, 91}


@dataclass(frozen=True, slots=True)
class _Group:
    start: int
    end: int
    digits: str


def numbers(line: str) -> Iterator[tuple[int, int, str]]:
    """Where such a number stands in the line, and what it is: phone, identity card or bank card."""
    plain = _ESCAPE.sub(_blank, line.translate(_PLAIN))
    for run in _RUN.finditer(plain):
        groups = [_Group(run.start() + g.start(), run.start() + g.end(), g[0]) for g in _GROUP.finditer(run[0])]
        at = 0
        while at < len(groups):
            found = _longest(plain, groups[at : at + _MOST_GROUPS])
            if found is None:
                at += 1
                continue
            taken, end, name = found
            yield groups[at].start, end, name
            at += taken


def _blank(escape: re.Match[str]) -> str:
    """As many blanks; an escaped sign that belongs to a number stands at their end."""
    sign = {"%2b": "+", "%28": "(", "%29": ")", "%2d": "-", "%3d": "=", "%3a": ":"}.get(escape[0].lower(), " ")
    return " " * (len(escape[0]) - 1) + sign


def _longest(plain: str, groups: Sequence[_Group]) -> tuple[int, int, str] | None:
    """The longest number that begins with the first group: how many groups it takes, where it ends, what it is."""
    for taken in range(len(groups), 0, -1):
        window = groups[:taken]
        name = _judge(plain, window)
        if name is None:
            continue
        end = window[-1].end + (1 if name.endswith("X") else 0)
        if _stands_alone(plain, window[0].start, end):
            return taken, end, name.removesuffix("X")
    return None


def _stands_alone(plain: str, start: int, end: int) -> bool:
    """Whether it is a number of its own: no part of a hash, a name, a decimal, or a number that goes on by a dash."""
    before, after = plain[max(0, start - 40) : start], plain[end : end + 40]
    if _PART_OF_A_NAME.search(before) and not _LABEL_BEFORE.search(before):
        return False
    return not _CONTINUES.search(before) and not _GOES_ON.match(after)


def _judge(plain: str, window: Sequence[_Group]) -> str | None:
    digits = "".join(group.digits for group in window)
    sizes = tuple(len(group.digits) for group in window)
    if _is_mobile(digits, sizes) or _is_landline(digits, sizes) or _is_local(plain, window, digits, sizes):
        return "phone"
    tail = plain[window[-1].end : window[-1].end + 1]
    if len(digits) == 17 and tail in ("X", "x") and _is_identity(f"{digits}X"):
        return "identity cardX"
    if _is_identity(digits):
        return "identity card"
    return "bank card" if _is_bank_card(digits, sizes) else None


def _is_mobile(digits: str, sizes: Sequence[int]) -> bool:
    found = _MOBILE.fullmatch(digits)
    return found is not None and _behind(sizes, found.start(1)) in _MOBILE_FORMS


def _is_landline(digits: str, sizes: Sequence[int]) -> bool:
    """Area and number, and perhaps an extension of up to five digits behind them."""
    for extended in (False, True):
        told, groups = digits, tuple(sizes)
        if extended:
            if len(sizes) < 2 or sizes[-1] > 5:
                return False
            told, groups = digits[: -sizes[-1]], groups[:-1]
        found = _LANDLINE.fullmatch(told)
        if found and (groups == (len(told),) or _behind(groups, found.start("local")) in _LANDLINE_FORMS):
            return True
    return False


def _is_local(plain: str, window: Sequence[_Group], digits: str, sizes: Sequence[int]) -> bool:
    """Seven or eight digits that are said to be a telephone."""
    if len(digits) not in (7, 8) or digits[0] not in "2345678" or tuple(sizes) not in _LANDLINE_FORMS:
        return False
    return _LABELLED.search(plain[max(0, window[0].start - 20) : window[0].start]) is not None


def _behind(sizes: Sequence[int], skipped: int) -> tuple[int, ...]:
    """The sizes of the groups behind so many digits, which may end within the first group that is left."""
    left = list(sizes)
    while left and skipped >= left[0]:
        skipped -= left.pop(0)
    return (left[0] - skipped, *left[1:]) if left else ()


def _is_identity(number: str) -> bool:
    """GB 11643: province, birthday, order, check digit."""
    if len(number) != 18 or not number[:17].isdigit() or int(number[:2]) not in _PROVINCES:
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    weighed = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return 1850 <= born.year <= 2150 and number[17] == "10X98765432"[weighed % 11]


def _is_bank_card(digits: str, sizes: Sequence[int]) -> bool:
    """The first digits of those who issue cards, a usual way to write them, and Luhn's check digit."""
    if _BANK.fullmatch(digits) is None or (len(sizes) > 1 and not _is_grouped(sizes)):
        return False
    doubled = (int(digit) * (1 + n % 2) for n, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_grouped(sizes: Sequence[int]) -> bool:
    by_four = all(size == 4 for size in sizes[:-1]) and sizes[-1] <= 4
    return by_four or tuple(sizes) in {(4, 6, 5), (6, 10), (6, 13), (6, 11), (6, 12)}
