"""How single values of a configuration are read: durations, hours, zones, addresses, shares, texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import time
from difflib import get_close_matches
from ipaddress import ip_network
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, PlainValidator, SecretStr

from bot.config.problems import Path, Wrong, wrong
from domain.hours import Interval, parse_interval
from domain.said import Said
from domain.spans import Span, parse_span
from texts import LANGUAGES, Catalogue, TextError, holes

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)%")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATABASES = ("sqlite", "postgresql")


def read_text(value: object) -> str:
    """A text in quotes; its blanks at both ends do not count."""
    if not isinstance(value, str):
        raise wrong("config.need_text")
    return value.strip()


def read_duration(value: object) -> Span:
    """A length of time that is more than nothing: 45s, 15m, 4h, 4wh, 3wd."""
    span = _span(read_text(value))
    if span.amount <= 0:
        raise wrong("config.duration_not_positive", value=read_text(value))
    return span


def read_share(value: object) -> float:
    """A percentage: "50%" is 0.5."""
    text = read_text(value)
    found = _SHARE.fullmatch(text)
    if found is None or float(found[1]) > 100:
        raise wrong("config.bad_share", value=text)
    return float(found[1]) / 100


def read_rung(text: str) -> float | Span:
    """When a rung is reached: "50%" of the time, or before (-2wd), at (0s) or after (+1wd) the deadline."""
    if text.endswith("%"):
        return read_share(text)
    span = _span(text)
    if span.amount and text[0] not in "+-":
        raise wrong("config.rung_without_sign", value=text)
    return span


def read_interval(value: object) -> Interval:
    """A stretch of the day: "08:30-12:00"."""
    text = read_text(value)
    try:
        return parse_interval(text)
    except ValueError:
        raise wrong("config.bad_interval", value=text) from None


def read_quiet(value: object) -> Interval | None:
    """Hours of quiet; an empty text means that there are none."""
    return read_interval(value) if read_text(value) else None


def read_intervals(value: object) -> tuple[Interval, ...]:
    """Working hours of a day: at least one stretch, in order, none over midnight."""
    if not isinstance(value, list | tuple):
        raise wrong("config.need_list")
    if not value:
        raise wrong("config.no_intervals")
    intervals = [_interval_at(place, item) for place, item in enumerate(value)]
    for place, (before, after) in enumerate(pairwise(intervals)):
        if before.end == time() or after.start < before.end:
            raise Wrong(((place + 1,), Said("config.interval_order", {"value": show(after)})))
    return tuple(intervals)


def _interval_at(place: int, item: object) -> Interval:
    try:
        interval = read_interval(item)
    except Wrong as error:
        raise Wrong(*(((place, *path), said) for path, said in error.faults)) from None
    if interval.wraps:
        raise Wrong(((place,), Said("config.over_midnight", {"value": show(interval)})))
    return interval


def read_clock(value: object) -> time:
    """A time of day: "08:30"."""
    text = read_text(value)
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise wrong("config.bad_clock", value=text)
    return time(int(found[1]), int(found[2]))


def read_day(value: object) -> tuple[int, int]:
    """A day of every year, month first: "05-01"."""
    text = read_text(value)
    found = _DAY.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= 12 or not 1 <= int(found[2]) <= _LAST_DAYS[int(found[1]) - 1]:
        raise wrong("config.bad_day", value=text)
    return int(found[1]), int(found[2])


def read_zone(value: object) -> ZoneInfo:
    """A time zone by its name in the world's zone database: "Asia/Shanghai"."""
    text = read_text(value)
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        near = get_close_matches(text, available_timezones(), 1, 0.5)
        raise wrong("config.bad_zone", value=text, meant=near[0] if near else "Asia/Shanghai") from None


def read_port(value: int) -> int:
    """A port of this machine; 0 takes any free one."""
    if not 0 <= value <= 65_535:
        raise wrong("config.bad_port", value=value)
    return value


def read_count(value: int) -> int:
    """A number of times, at least one."""
    if value < 1:
        raise wrong("config.bad_count", value=value)
    return value


def read_networks(value: object) -> tuple[str, ...]:
    """IP addresses, or networks like 172.16.0.0/12; none is fine."""
    if not isinstance(value, list | tuple):
        raise wrong("config.need_list")
    return tuple(_network_at(place, item) for place, item in enumerate(value))


def _network_at(place: int, item: object) -> str:
    try:
        return str(ip_network(read_text(item).strip()))
    except ValueError:
        raise Wrong(((place,), Said("config.bad_network", {"value": str(item)}))) from None


def read_given(value: str) -> str:
    """A text that may not be empty."""
    if not value.strip():
        raise wrong("config.empty")
    return value.strip()


def read_address(*schemes: str) -> Callable[[str], str]:
    """A reader of web addresses with one of these schemes; empty stays empty, a last slash goes."""

    def read(value: str) -> str:
        text = value.strip().rstrip("/")
        try:
            parts = urlsplit(text)
            fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if text and not fits:
            raise wrong("config.bad_address", schemes=" / ".join(f"{scheme}://" for scheme in schemes))
        return text

    return read


def read_storage(secret: SecretStr) -> SecretStr:
    """Where the rows are: sqlite:///folder/file.db or postgresql://user@host/db, perhaps with a password."""
    scheme, found, rest = secret.get_secret_value().strip().partition("://")
    if scheme not in _DATABASES or not found:
        raise wrong("config.bad_storage")
    if scheme == "sqlite" and (not rest.startswith("/") or len(rest) < 2):
        raise wrong("config.sqlite_slashes")
    return SecretStr(f"{scheme}://{rest}")


def read_secret(pattern: str, shape: str) -> Callable[[SecretStr], SecretStr]:
    """A reader of secrets of one shape. The shape is told where it does not fit, the secret never."""

    def read(secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value().strip()
        if not re.fullmatch(pattern, text):
            raise wrong("config.bad_secret", shape=shape)
        return SecretStr(text)

    return read


def read_texts(value: object) -> Mapping[str, Mapping[str, str]]:
    """A park's own sentences: key -> language -> sentence, checked against the sentences that there are."""
    if not isinstance(value, Mapping):
        raise wrong("config.need_table")
    known = Catalogue.load()
    found = list(_sentences(value))
    faults = [fault for path, sentences in found for fault in _text_faults(known, path, sentences)]
    if faults:
        raise Wrong(*faults)
    texts = {".".join(path): dict(sentences) for path, sentences in found}
    try:
        Catalogue.load(texts)
    except TextError as error:
        raise wrong("config.text_clash", what=str(error)) from None
    return texts


def _sentences(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """`"appeal.filed" = {...}` and `appeal.filed = {...}` mean the same sentence."""
    for name, value in table.items():
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            yield from _sentences(value, (*path, name))
        else:
            yield (*path, name), value


def _text_faults(known: Catalogue, path: tuple[str, ...], sentences: Any) -> Iterator[tuple[Path, Said]]:
    key = ".".join(path)
    if key not in known.texts:
        near = get_close_matches(key, known.texts, 1)
        yield path, Said("config.no_such_text", {"meant": near[0] if near else "docs/reference/texts.md"})
    elif not isinstance(sentences, Mapping) or not sentences:
        yield path, Said("config.text_shape")
    else:
        for language, sentence in sentences.items():
            said = _sentence_fault(known, key, language, sentence)
            if said is not None:
                yield (*path, language), said


def _sentence_fault(known: Catalogue, key: str, language: str, sentence: object) -> Said | None:
    if language not in LANGUAGES or not isinstance(sentence, str):
        return Said("config.text_shape")
    allowed = holes(known.texts[key].of(language))
    try:
        odd = holes(sentence) - allowed
    except ValueError as error:
        return Said("config.text_broken", {"what": str(error)})
    if not odd:
        return None
    facts = {"odd": _listed(odd), "allowed": _listed(allowed) or "-"}
    return Said("config.text_holes", {"odd": facts["odd"], "allowed": facts["allowed"]})


def _listed(names: frozenset[str]) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(names))


def _span(text: str) -> Span:
    try:
        return parse_span(text)
    except ValueError:
        raise wrong("config.bad_duration", value=text) from None


def show(interval: Interval) -> str:
    """`08:30-12:00`; midnight at the end of the day is 24:00."""
    end = "24:00" if interval.end == time() else f"{interval.end:%H:%M}"
    return f"{interval.start:%H:%M}-{end}"


# The last word of each names the kind of value in docs/reference/config.md.
Text = Annotated[str, AfterValidator(str.strip), "text"]
Given = Annotated[str, AfterValidator(read_given), "text"]
Networks = Annotated[tuple[str, ...], PlainValidator(read_networks), "list of addresses"]
Duration = Annotated[Span, PlainValidator(read_duration), "duration"]
Share = Annotated[float, PlainValidator(read_share), "share"]
Intervals = Annotated[tuple[Interval, ...], PlainValidator(read_intervals), "list of intervals"]
Quiet = Annotated[Interval | None, PlainValidator(read_quiet), "interval"]
ClockTime = Annotated[time, PlainValidator(read_clock), "time"]
Day = Annotated[tuple[int, int], PlainValidator(read_day), "day"]
Zone = Annotated[ZoneInfo, PlainValidator(read_zone), "time zone"]
Port = Annotated[int, AfterValidator(read_port), "number"]
Count = Annotated[int, AfterValidator(read_count), "number"]
WebAddress = Annotated[str, AfterValidator(read_address("http", "https")), "address"]
SafeAddress = Annotated[str, AfterValidator(read_address("https")), "address"]
SocketAddress = Annotated[str, AfterValidator(read_address("wss", "ws")), "address"]
StorageAddress = Annotated[SecretStr, AfterValidator(read_storage), "address"]
Secret = Annotated[SecretStr, AfterValidator(read_secret(r"\S+", "…")), "secret"]
TelegramToken = Annotated[SecretStr, AfterValidator(read_secret(r"[0-9]+:[A-Za-z0-9_-]+", "123456:ABC-DEF")), "secret"]
WebhookSecret = Annotated[
    SecretStr, AfterValidator(read_secret(r"[A-Za-z0-9_-]{0,256}", "A-Z a-z 0-9 _ -, 1-256")), "secret"
]
AesKey = Annotated[SecretStr, AfterValidator(read_secret(r"[A-Za-z0-9]{43}", "A-Z a-z 0-9, 43")), "secret"]
Texts = Annotated[Mapping[str, Mapping[str, str]], PlainValidator(read_texts), "table of sentences"]
