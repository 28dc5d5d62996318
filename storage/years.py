"""Year tables of holidays and make-up working days, read from TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import domain
from domain.errors import Refused
from domain.holidays import YearTable
from domain.said import Fact, Said

SHIPPED = Path(domain.__file__).with_name("years")
"""The folder of the tables that come with the program."""


class YearTableError(ValueError):
    """A year table that cannot be used: `source` is the file, `place` the key in it (empty: all of it), `said` why."""

    def __init__(self, source: str, place: str, said: Said) -> None:
        super().__init__(f"{source}: {place}: {said.key} {dict(said.facts)}")
        self.source = source
        self.place = place
        self.said = said


class _Fault(Exception):
    """What is wrong at one key, while it is not known yet in which file."""

    def __init__(self, place: str, key: str, /, **facts: Fact) -> None:
        super().__init__(key)
        self.place = place
        self.said = Said(key, facts)


_KEYS = {"year", "published", "holidays", "makeup_workdays"}
_HOLIDAY_KEYS = {"name", "from", "to"}
_LONGEST_HOLIDAY = timedelta(days=31)


def read_years(folder: Path = SHIPPED) -> tuple[YearTable, ...]:
    """All tables of a folder (YYYY.toml), by year. YearTableError names the file and the key."""
    if not folder.is_dir():
        raise YearTableError(str(folder), "", Said("years.no_folder"))
    return tuple(sorted((_read_file(path) for path in folder.glob("*.toml")), key=lambda table: table.year))


def parse_year(text: str, source: str = "year table") -> YearTable:
    """One year's table. `source` is how errors name the text.

    Keys: year (a number), published (true or false), holidays (a list of {from, to, name}, name optional),
    makeup_workdays (a list of dates). Dates are bare, like 2026-10-01. YearTableError names source and key.
    """
    try:
        raw = tomllib.loads(text)
        _refuse_others(raw, _KEYS, "")
        return YearTable(
            year=_read_year(raw),
            holidays=frozenset(_read_holidays(raw)),
            makeup_workdays=frozenset(_read_makeup_workdays(raw)),
            published=_read_published(raw),
        )
    except tomllib.TOMLDecodeError as trouble:
        raise YearTableError(source, "", Said("years.not_toml", {"cause": str(trouble)})) from None
    except _Fault as fault:
        raise YearTableError(source, fault.place, fault.said) from None
    except Refused as refused:
        raise YearTableError(source, "", Said(refused.key, refused.facts)) from None


def read_table(path: Path) -> YearTable:
    """One file, whatever its name. YearTableError names the file and the key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise YearTableError(path.name, "", Said("years.not_utf8")) from None
    return parse_year(text, source=path.name)


def _read_file(path: Path) -> YearTable:
    table = read_table(path)
    if path.stem != str(table.year):
        raise YearTableError(path.name, "year", Said("years.misnamed", {"year": table.year}))
    return table


def _read_year(raw: dict[str, object]) -> int:
    year = raw.get("year")
    if type(year) is not int or not 1980 <= year <= 2200:
        raise _Fault("year", "years.need_year")
    return year


def _read_published(raw: dict[str, object]) -> bool:
    published = raw.get("published")
    if not isinstance(published, bool):
        raise _Fault("published", "years.need_published")
    return published


def _read_holidays(raw: dict[str, object]) -> Iterator[date]:
    for place, item in enumerate(_read_list(raw, "holidays")):
        key = f"holidays[{place}]"
        if not isinstance(item, dict):
            raise _Fault(key, "years.need_holiday", example="{ from = 2027-10-01, to = 2027-10-07 }")
        _refuse_others(item, _HOLIDAY_KEYS, f"{key}.")
        first, last = _read_date(item.get("from"), f"{key}.from"), _read_date(item.get("to"), f"{key}.to")
        if not timedelta() <= last - first < _LONGEST_HOLIDAY:
            raise _Fault(f"{key}.to", "years.bad_stretch", first=first, last=last)
        for shift in range((last - first).days + 1):
            yield first + timedelta(days=shift)


def _read_makeup_workdays(raw: dict[str, object]) -> Iterator[date]:
    for place, item in enumerate(_read_list(raw, "makeup_workdays")):
        yield _read_date(item, f"makeup_workdays[{place}]")


def _read_list(raw: dict[str, object], key: str) -> list[object]:
    value = raw.get(key)
    if not isinstance(value, list):
        raise _Fault(key, "years.need_list", key=key)
    return value


def _read_date(value: object, key: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _Fault(key, "years.need_date")
    return value


def _refuse_others(table: dict[str, object], known: set[str], prefix: str) -> None:
    for key in sorted(table.keys() - known):
        raise _Fault(f"{prefix}{key}", "years.unknown_key", keys=", ".join(sorted(known)))
