from datetime import date

from domain.holidays import YearTable, provisional_year
from domain.yearly import changed, forgotten
from tests.making import make_calendar


def test_the_days_are_named_that_a_new_table_frees_and_fills() -> None:
    before = make_calendar()
    off = frozenset({date(2026, 12, 31), date(2027, 1, 1), date(2027, 2, 4)}) | provisional_year(2027).holidays
    notice = YearTable(2027, off - {date(2027, 6, 9)}, frozenset({date(2027, 1, 3)}), published=True)
    found = changed(before, before.amended((notice,), frozenset()), 2027)
    assert found.off == (date(2026, 12, 31), date(2027, 2, 4))
    assert found.worked == (date(2027, 1, 3), date(2027, 6, 9))
    assert changed(before, before, 2027).off == ()


def test_statutory_days_that_a_table_forgets_are_named() -> None:
    whole = YearTable(2027, provisional_year(2027).holidays, frozenset(), published=True)
    assert forgotten(whole) == ()
    lacking = YearTable(2027, whole.holidays - {date(2027, 1, 1), date(2027, 2, 6)}, frozenset(), published=True)
    assert forgotten(lacking) == (date(2027, 1, 1),)  # 6 February is a Saturday
