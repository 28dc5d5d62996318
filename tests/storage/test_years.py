from datetime import date
from pathlib import Path

import pytest

from storage.years import SHIPPED, YearTableError, parse_year, read_years

BACKENDS = ("sqlite",)

GOOD = """
year = 2027
published = true
holidays = [{ name = "元旦", from = 2027-01-01, to = 2027-01-03 }, { from = 2027-10-01, to = 2027-10-01 }]
makeup_workdays = [2026-12-27]
"""


def test_a_year_table_is_read_with_its_holidays_day_by_day() -> None:
    table = parse_year(GOOD)
    assert (table.year, table.published) == (2027, True)
    assert sorted(day.isoformat() for day in table.holidays) == [
        "2027-01-01", "2027-01-02", "2027-01-03", "2027-10-01"
    ]  # fmt: skip
    assert table.makeup_workdays == {date(2026, 12, 27)}


def test_the_program_comes_with_the_published_years() -> None:
    tables = read_years()
    assert [(table.year, table.published) for table in tables] == [(2024, True), (2025, True), (2026, True)]
    assert [len(table.holidays) for table in tables] == [28, 28, 33]
    assert [len(table.makeup_workdays) for table in tables] == [8, 5, 6]


def test_a_parks_own_folder_is_read_in_the_order_of_years(tmp_path: Path) -> None:
    for name in ("2026.toml", "2024.toml"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    (tmp_path / "2027.toml").write_text(GOOD, encoding="utf-8-sig")  # as saved by Notepad
    (tmp_path / "notes.txt").write_text("not a table", encoding="utf-8")
    assert [table.year for table in read_years(tmp_path)] == [2024, 2026, 2027]


@pytest.mark.parametrize(
    "right, wrong, complaint",
    [
        ("year = 2027", "year = '2027'", "year: write the year as a number"),
        ("year = 2027", "year = true", "year: write the year as a number"),
        ("year = 2027", "year = 27", "year: write the year as a number"),
        ("year = 2027", "", "year: write the year as a number"),
        ("published = true", "", "published: write true"),
        ("published = true", 'published = "yes"', "published: write true"),
        ("published = true", "publishd = true", "publishd: not a key of a year table; the keys are"),
        ("published = true", "published = ", "line 3"),
        (
            "to = 2027-01-03",
            "to = 2026-12-31",
            r"holidays\[0\].to: 2026-12-31 must be on or after 2027-01-01",
        ),
        ("to = 2027-01-03", "to = 2028-01-03", r"holidays\[0\].to: .* within a month"),
        ("to = 2027-01-03", 'to = "2027-01-03"', r"holidays\[0\].to: write a date without quotes"),
        ("to = 2027-01-03", "to = 2027-01-03T08:00:00", r"holidays\[0\].to: write a date"),
        ("{ from = 2027-10-01,", "{", r"holidays\[1\].from: write a date"),
        ("{ from = 2027-10-01,", "{ form = 2027-10-01,", r"holidays\[1\].form: not a key"),
        ("{ from = 2027-10-01, to = 2027-10-01 }", "2027-10-01", r"holidays\[1\]: write { from"),
        ("[2026-12-27]", "[2026-12-27, 3]", r"makeup_workdays\[1\]: write a date"),
        ("[2026-12-27]", "2026-12-27", "makeup_workdays: a list is needed"),
        ("makeup_workdays = [2026-12-27]", "", "makeup_workdays: a list is needed"),
        ("2026-12-27", "2026-12-28", "2026-12-28 is a Monday, a working day anyway"),
        ("2026-12-27", "2027-01-03", "2027-01-03 is named both"),
        ("2026-12-27", "2028-01-02", "2028-01-02 does not belong to the table of 2027"),
    ],
)
def test_a_wrong_table_is_answered_with_its_file_and_key(right: str, wrong: str, complaint: str) -> None:
    assert right in GOOD
    with pytest.raises(YearTableError, match=f"^2027.toml: .*{complaint}"):
        parse_year(GOOD.replace(right, wrong), source="2027.toml")


def test_a_file_must_bear_the_year_it_tells_of(tmp_path: Path) -> None:
    (tmp_path / "2028.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(YearTableError, match=r"^2028.toml: year: it says 2027, so name the file 2027.toml"):
        read_years(tmp_path)


def test_a_folder_or_a_text_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(YearTableError, match="no such folder"):
        read_years(tmp_path / "years")
    (tmp_path / "2027.toml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(YearTableError, match=r"^2027.toml: not readable as text: save the file as UTF-8"):
        read_years(tmp_path)
