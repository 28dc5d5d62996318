from datetime import UTC, date
from pathlib import Path

import pytest

from storage.years import SHIPPED, YearTableError, parse_year, read_table, read_years
from texts import Catalogue, render

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


def test_the_table_that_the_manual_shows_can_be_imported() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "calendar.md").read_text(encoding="utf-8")
    assert parse_year(page.split("```toml")[1].split("```")[0]).year == 2027


def test_a_parks_own_folder_is_read_in_the_order_of_years(tmp_path: Path) -> None:
    for name in ("2026.toml", "2024.toml"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    (tmp_path / "2027.toml").write_text(GOOD, encoding="utf-8-sig")  # as saved by Notepad
    (tmp_path / "notes.txt").write_text("not a table", encoding="utf-8")
    assert [table.year for table in read_years(tmp_path)] == [2024, 2026, 2027]


@pytest.mark.parametrize(
    "right, wrong, place, key",
    [
        ("year = 2027", "year = '2027'", "year", "need_year"),
        ("year = 2027", "year = true", "year", "need_year"),
        ("year = 2027", "year = 27", "year", "need_year"),
        ("year = 2027", "", "year", "need_year"),
        ("published = true", "", "published", "need_published"),
        ("published = true", 'published = "yes"', "published", "need_published"),
        ("published = true", "publishd = true", "publishd", "unknown_key"),
        ("published = true", "published = ", "", "not_toml"),
        ("to = 2027-01-03", "to = 2026-12-31", "holidays[0].to", "bad_stretch"),
        ("to = 2027-01-03", "to = 2028-01-03", "holidays[0].to", "bad_stretch"),
        ("to = 2027-01-03", 'to = "2027-01-03"', "holidays[0].to", "need_date"),
        ("to = 2027-01-03", "to = 2027-01-03T08:00:00", "holidays[0].to", "need_date"),
        ("{ from = 2027-10-01,", "{", "holidays[1].from", "need_date"),
        ("{ from = 2027-10-01,", "{ form = 2027-10-01,", "holidays[1].form", "unknown_key"),
        ("{ from = 2027-10-01, to = 2027-10-01 }", "2027-10-01", "holidays[1]", "need_holiday"),
        ("[2026-12-27]", "[2026-12-27, 3]", "makeup_workdays[1]", "need_date"),
        ("[2026-12-27]", "2026-12-27", "makeup_workdays", "need_list"),
        ("makeup_workdays = [2026-12-27]", "", "makeup_workdays", "need_list"),
        ("2026-12-27", "2026-12-28", "", "weekday"),
        ("2026-12-27", "2027-01-03", "", "both"),
        ("2026-12-27", "2028-01-02", "", "other_year"),
    ],
)
def test_a_wrong_table_is_answered_with_its_file_and_key(right: str, wrong: str, place: str, key: str) -> None:
    assert right in GOOD
    with pytest.raises(YearTableError) as caught:
        parse_year(GOOD.replace(right, wrong), source="2027.toml")
    assert (caught.value.source, caught.value.place, caught.value.said.key) == ("2027.toml", place, f"years.{key}")


def test_what_the_file_says_wrongly_is_told_with_the_remedy() -> None:
    with pytest.raises(YearTableError) as caught:
        parse_year(GOOD.replace("2026-12-27", "2026-12-28"))
    told = render(Catalogue.load(strict=True), caught.value.said, "zh", UTC)
    assert told == "2026年12月28日本来就上班；调休上班日应是周六或周日，请核对"


def test_a_file_must_bear_the_year_it_tells_of(tmp_path: Path) -> None:
    (tmp_path / "2028.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(YearTableError, match=r"^2028.toml: year: years.misnamed"):
        read_years(tmp_path)


def test_a_table_that_is_imported_may_be_called_as_one_likes(tmp_path: Path) -> None:
    (tmp_path / "notice.toml").write_text(GOOD, encoding="utf-8")
    assert read_table(tmp_path / "notice.toml").year == 2027


def test_a_folder_or_a_text_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(YearTableError, match=r"years\.no_folder"):
        read_years(tmp_path / "years")
    (tmp_path / "2027.toml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(YearTableError, match=r"^2027.toml: : years.not_utf8"):
        read_years(tmp_path)
