"""What `lianqi export roster` writes is what `lianqi import` reads."""

from pathlib import Path

import pytest

from bot import workbook
from bot.demo.park import demo_roster
from domain.roster import Roster
from domain.roster_check import check
from reports.roster import write_roster


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_roster_written_and_read_again_says_the_same(tmp_path: Path, language: str) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(write_roster(demo_roster(), language))
    checked = check(workbook.read(path, lambda: 0.0))
    assert [(one.sheet, one.row, one.cause) for one in checked.errors] == []
    assert normal(checked.roster) == normal(demo_roster())


def normal(roster: Roster) -> dict[str, list[dict[str, object]]]:
    """Entries without the difference between unsaid and blank."""
    return {
        sheet: [{name: getattr(entry, name) or "" for name in entry.__slots__} for entry in getattr(roster, sheet)]
        for sheet in ("enterprises", "people", "departments", "groups")
    }
