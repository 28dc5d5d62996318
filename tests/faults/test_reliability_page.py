"""The page on reliability names tests that are there, and each promise whose trials are counted."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
LINK = re.compile(r"\]\((\.\./tests/[^)#]+)\)")
ROW = re.compile(r"^\| (R\d+[a-z]?) \|(.*)$", re.MULTILINE)
MARK = re.compile(r'\btally\("(R\d+[a-z]?)"')


def test_every_test_that_the_page_names_is_there() -> None:
    named = LINK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [name for name in named if not (PAGE.parent / name).is_file()] == []


def test_every_promise_has_its_row_and_its_row_the_tests_that_count_its_trials() -> None:
    rows = dict(ROW.findall(PAGE.read_text(encoding="utf-8")))
    assert {f"R{n}" for n in range(1, 18)} == {mark.rstrip("abc") for mark in rows}
    counted = {
        (mark, f"../{path.relative_to(TESTS.parent)}")
        for path in TESTS.rglob("test_*.py")
        for mark in MARK.findall(path.read_text(encoding="utf-8"))
    }
    assert {mark for mark, _ in counted} == set(rows)
    assert [each for each in sorted(counted) if each[1] not in rows[each[0]]] == []
