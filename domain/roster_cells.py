"""What one cell of a roster means: each column's reader turns text into a value, or says what would be right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from domain import uscc
from domain.people import LANGUAGES_SPELLED, Purpose, Role
from domain.roster import CHANNELS, Sheet
from domain.said import Said
from domain.words import cleaned

MOST_CHARACTERS = 100
"""The longest name or label that a cell may hold."""

ROLE_WORDS: Mapping[str, Role] = {role.value: role for role in Role} | {
    "企业联系人": Role.CONTACT,
    "联系人": Role.CONTACT,
    "挂钩干部": Role.LIAISON,
    "经办人": Role.HANDLER,
    "部门负责人": Role.HEAD,
    "首席服务官": Role.CHIEF,
    "协调员": Role.COORDINATOR,
    "纪检": Role.INSPECTOR,
    "监测员": Role.MONITOR,
    "专家": Role.EXPERT,
    "银行": Role.BANK,
}
PURPOSE_WORDS: Mapping[str, Purpose] = {purpose.value: purpose for purpose in Purpose} | {
    "联企群": Purpose.LIAISON,
    "联企": Purpose.LIAISON,
    "协调群": Purpose.COORDINATION,
    "协调": Purpose.COORDINATION,
    "领导群": Purpose.LEADERSHIP,
    "领导": Purpose.LEADERSHIP,
    "纪检群": Purpose.INSPECTION,
    "纪检": Purpose.INSPECTION,
    "银企群": Purpose.BANK,
    "银企": Purpose.BANK,
}
_YES = frozenset({"是", "yes", "y", "true", "1", "√", "✓", "外部"})
_NO = frozenset({"", "否", "no", "n", "false", "0", "×", "-"})
_SEPARATORS = re.compile(r"[;；、\n]+")
_LOOSE_SEPARATORS = re.compile(r"[;；、,，\n]+")
_MOBILE = re.compile(r"(?:\+?(?:00)?86)?(1[3-9]\d{9})", re.ASCII)
_OTHER_PHONE = re.compile(r"(?:\(?0\d{2,3}\)?)?[2-9]\d{6,7}(?:(?:转|x|ext)\d{1,5})?|[48]00\d{7}|\+\d{7,15}", re.ASCII)
_TELEGRAM_USER = re.compile(r"[1-9]\d{3,15}", re.ASCII)
_TELEGRAM_GROUP = re.compile(r"-\d{5,16}", re.ASCII)
_WECOM_USER = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.@-]{0,63}")


class Misread(Exception):
    """A cell that does not hold what its column wants; `said` tells the cause with the remedy."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.key)
        self.said = said


Reader = Callable[[str], Any]


def plain(text: str) -> str:
    """A name or label on one line, without invisible characters."""
    found = " ".join(cleaned(text).split())
    if len(found) > MOST_CHARACTERS:
        raise Misread(Said("roster.too_long", {"most": MOST_CHARACTERS}))
    return found


def fold(text: str) -> str:
    """Text as it is compared: half-width, lower-case, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _names(text: str) -> tuple[str, ...]:
    return _split(_SEPARATORS, text)


def _labels(text: str) -> tuple[str, ...]:
    return _split(_LOOSE_SEPARATORS, text)


def _split(separators: re.Pattern[str], text: str) -> tuple[str, ...]:
    parts = (plain(part) for part in separators.split(cleaned(text)))
    return tuple(dict.fromkeys(part for part in parts if part))


def _roles(text: str) -> tuple[Role, ...]:
    found = []
    for word in _labels(text):
        role = ROLE_WORDS.get(fold(word))
        if role is None:
            known = "、".join(word for word in ROLE_WORDS if not word.isascii() and word != "联系人")
            raise Misread(Said("roster.unknown_role", {"word": word, "known": known}))
        found.append(role)
    return tuple(sorted(set(found), key=list(Role).index))


def _uscc(text: str) -> str | None:
    code = uscc.normalise(text)
    if not code:
        return None
    wrong = uscc.fault(code)
    if wrong == "length":
        raise Misread(Said("roster.uscc_length", {"length": len(code)}))
    if wrong == "alphabet":
        raise Misread(Said("roster.uscc_alphabet"))
    if wrong == "check":
        raise Misread(Said("roster.uscc_check"))
    return code


def _phone(text: str) -> str | None:
    number = re.sub(r"[\s\-‐‑–—.]", "", unicodedata.normalize("NFKC", text))
    if not number:
        return None
    if mobile := _MOBILE.fullmatch(number):
        return mobile[1]
    if not _OTHER_PHONE.fullmatch(number.lower()):
        raise Misread(Said("roster.phone"))
    return number


def _telegram_id(text: str) -> str | None:
    number = fold(text)
    if number and not _TELEGRAM_USER.fullmatch(number):
        raise Misread(Said("roster.telegram_id"))
    return number or None


def _wecom_userid(text: str) -> str | None:
    name = unicodedata.normalize("NFKC", text).strip()
    if name and not _WECOM_USER.fullmatch(name):
        raise Misread(Said("roster.wecom_userid"))
    return name or None


def _language(text: str) -> str | None:
    word = fold(text)
    if word and word not in LANGUAGES_SPELLED:
        raise Misread(Said("roster.language"))
    return LANGUAGES_SPELLED.get(word)


def _external(text: str) -> bool:
    word = fold(text)
    if word not in _YES | _NO:
        raise Misread(Said("roster.yes_or_no"))
    return word in _YES


def _channel(text: str) -> str:
    if (channel := CHANNELS.get(fold(text))) is None:
        raise Misread(Said("roster.channel", {"known": "、".join(CHANNELS)}))
    return channel


def _purpose(text: str) -> Purpose:
    if (purpose := PURPOSE_WORDS.get(fold(text))) is None:
        known = "、".join(word for word in PURPOSE_WORDS if word.endswith("群"))
        raise Misread(Said("roster.purpose", {"known": known}))
    return purpose


def _short_name(text: str) -> str | None:
    return plain(text) or None


READERS: Mapping[tuple[Sheet, str], Reader] = {
    (Sheet.ENTERPRISES, "short_name"): _short_name,
    (Sheet.ENTERPRISES, "uscc"): _uscc,
    (Sheet.ENTERPRISES, "tags"): _labels,
    (Sheet.PEOPLE, "roles"): _roles,
    (Sheet.PEOPLE, "enterprise"): _names,
    (Sheet.PEOPLE, "phone"): _phone,
    (Sheet.PEOPLE, "telegram_id"): _telegram_id,
    (Sheet.PEOPLE, "wecom_userid"): _wecom_userid,
    (Sheet.PEOPLE, "language"): _language,
    (Sheet.DEPARTMENTS, "external"): _external,
    (Sheet.GROUPS, "channel"): _channel,
    (Sheet.GROUPS, "purpose"): _purpose,
    (Sheet.GROUPS, "enterprises"): _names,
}
"""How a column is read; every other column is a plain name or label."""


def check_chat_id(channel: str, chat_id: str) -> None:
    """Raise Misread where an id cannot be a group's on that channel (Telegram: a negative number)."""
    if channel == "telegram" and not _TELEGRAM_GROUP.fullmatch(chat_id):
        raise Misread(Said("roster.telegram_group"))
