"""Year tables of holidays and make-up working days, read from TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import domain
from domain.holidays import YearTable

SHIPPED = Path(domain.__file__).with_name("years")
"""The folder of the tables that come with the program."""


class YearTableError(ValueError):
    """A year table that cannot be used; the sentence names the file, the key and what would be right."""


_KEYS = {"year", "published", "holidays", "makeup_workdays"}
_HOLIDAY_KEYS = {"name", "from", "to"}
_LONGEST_HOLIDAY = timedelta(days=31)


def read_years(folder: Path = SHIPPED) -> tuple[YearTable, ...]:
    """All tables of a folder (YYYY.toml), by year. YearTableError names the file and the key."""
    if not folder.is_dir():
        raise YearTableError(f"{folder}: there is no such folder of year tables")
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
    except ValueError as trouble:  # tomllib's error is a ValueError too, and tells line and column
        raise YearTableError(f"{source}: {trouble}") from None


def _read_file(path: Path) -> YearTable:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise YearTableError(f"{path.name}: not readable as text: save the file as UTF-8") from None
    table = parse_year(text, source=path.name)
    if path.stem != str(table.year):
        raise YearTableError(f"{path.name}: year: it says {table.year}, so name the file {table.year}.toml")
    return table


def _read_year(raw: dict[str, object]) -> int:
    year = raw.get("year")
    if type(year) is not int or not 1980 <= year <= 2200:
        raise YearTableError("year: write the year as a number, such as year = 2026")
    return year


def _read_published(raw: dict[str, object]) -> bool:
    published = raw.get("published")
    if not isinstance(published, bool):
        raise YearTableError("published: write true once the notice is out, false for a draft")
    return published


def _read_holidays(raw: dict[str, object]) -> Iterator[date]:
    for place, item in enumerate(_read_list(raw, "holidays")):
        key = f"holidays[{place}]"
        if not isinstance(item, dict):
            raise YearTableError(f"{key}: write {{ from = 2026-10-01, to = 2026-10-07 }}")
        _refuse_others(item, _HOLIDAY_KEYS, f"{key}.")
        first, last = _read_date(item.get("from"), f"{key}.from"), _read_date(item.get("to"), f"{key}.to")
        if not timedelta() <= last - first < _LONGEST_HOLIDAY:
            raise YearTableError(f"{key}.to: {last} must be on or after {first}, and within a month of it")
        for shift in range((last - first).days + 1):
            yield first + timedelta(days=shift)


def _read_makeup_workdays(raw: dict[str, object]) -> Iterator[date]:
    for place, item in enumerate(_read_list(raw, "makeup_workdays")):
        yield _read_date(item, f"makeup_workdays[{place}]")


def _read_list(raw: dict[str, object], key: str) -> list[object]:
    value = raw.get(key)
    if not isinstance(value, list):
        raise YearTableError(f"{key}: a list is needed here; write {key} = [] if there are none")
    return value


def _read_date(value: object, key: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise YearTableError(f"{key}: write a date without quotes and without a time, such as 2026-10-01")
    return value


def _refuse_others(table: dict[str, object], known: set[str], prefix: str) -> None:
    for key in sorted(table.keys() - known):
        raise YearTableError(f"{prefix}{key}: not a key of a year table; the keys are {', '.join(sorted(known))}")
