"""The page on reliability names tests that are there."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
LINK = re.compile(r"\]\((\.\./tests/[^)#]+)\)")


def test_every_test_that_the_page_names_is_there() -> None:
    named = LINK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 15
    assert [name for name in named if not (PAGE.parent / name).is_file()] == []


def test_every_trial_of_faults_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    files = [path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name]
    counted = [path.name for path in files if "tally: Tally" in path.read_text("utf-8")]
    assert len(counted) > 8
    assert [name for name in counted if f"tests/faults/{name}" not in page] == []
