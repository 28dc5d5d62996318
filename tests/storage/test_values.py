"""What is written into columns comes back as it was."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.values import from_json, from_ms, from_ms_or_none, to_json, to_ms, to_ms_or_none

BACKENDS = ("sqlite",)

BEIJING = timezone(timedelta(hours=8))


def test_a_time_is_kept_in_milliseconds_of_utc() -> None:
    at = datetime(2026, 1, 5, 9, 30, 0, 123_999, tzinfo=BEIJING)
    assert to_ms(at) == 1_767_576_600_123
    assert from_ms(to_ms(at)) == datetime(2026, 1, 5, 1, 30, 0, 123_000, tzinfo=UTC)
    assert from_ms(0).tzinfo is UTC


@given(st.datetimes(datetime(1900, 1, 1), datetime(2400, 1, 1)))  # noqa: DTZ001 - the zone is put on below
def test_every_time_comes_back_to_the_millisecond_before_it(naive: datetime) -> None:
    at = naive.replace(tzinfo=BEIJING)
    assert timedelta(0) <= at - from_ms(to_ms(at)) < timedelta(milliseconds=1)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_ms(datetime(2026, 1, 5))  # noqa: DTZ001 - that is the mistake


def test_an_absent_time_stays_absent() -> None:
    assert (to_ms_or_none(None), from_ms_or_none(None)) == (None, None)
    assert from_ms_or_none(to_ms_or_none(from_ms(5))) == from_ms(5)


def test_equal_facts_are_equal_text() -> None:
    assert to_json({"b": ["电", 1], "a": None}) == '{"a":null,"b":["电",1]}'
    assert from_json(to_json({"b": ["电", 1.5], "a": None})) == {"a": None, "b": ["电", 1.5]}


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json(float("nan"))
