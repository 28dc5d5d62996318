"""What is owed to somebody survives the database unchanged."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.said import Button, Fact, Said, from_facts, to_facts
from domain.verbs import Verb

INSTANTS = st.integers(-(10**12), 10**13).map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
PLAIN = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())
NAMES = st.from_regex("[a-z_]{1,8}", fullmatch=True)


def saids(facts: st.SearchStrategy[Fact]) -> st.SearchStrategy[Said]:
    return st.builds(Said, st.text(), st.dictionaries(NAMES, facts, max_size=3))


SIMPLE: st.SearchStrategy[Fact] = st.one_of(PLAIN, INSTANTS, st.dates())
NESTED: st.SearchStrategy[Fact] = st.one_of(
    SIMPLE, saids(SIMPLE), st.lists(st.one_of(st.text(), saids(SIMPLE)), max_size=3).map(tuple)
)


@given(st.dictionaries(NAMES, NESTED, max_size=4))
def test_facts_come_back_from_the_database_as_they_went_in(facts: dict[str, Fact]) -> None:
    assert from_facts(json.loads(json.dumps(to_facts(facts)))) == facts


def test_instants_and_days_are_kept_apart() -> None:
    facts = {
        "due": datetime(2026, 3, 12, 17, 30, tzinfo=timezone(timedelta(hours=8))),
        "day": date(2026, 3, 12),
    }
    assert to_facts(facts) == {"due": {"at": 1773307800000}, "day": {"day": "2026-03-12"}}
    assert from_facts(to_facts(facts)) == facts


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_facts({"due": datetime(2026, 3, 12)})  # noqa: DTZ001 - the naive datetime is the point


def test_what_is_no_fact_is_refused() -> None:
    with pytest.raises(ValueError, match="sequence"):
        from_facts({"x": [[1]]})


@given(
    st.builds(
        Button,
        st.sampled_from(Verb),
        st.none() | st.from_regex("[1-9][0-9]{0,8}|M-[0-9A-Z]{6}", fullmatch=True),
        st.none() | st.integers(0, 999_999_999),
        st.none() | st.text(max_size=5),
    )
)
def test_a_button_is_read_back_as_it_was_made(button: Button) -> None:
    assert len(button.data.encode()) <= 64
    assert Button.parse(button.data) == button


@pytest.mark.parametrize(
    "data",
    [
        "",
        "acknowledge",
        "nonsense:12:3",
        "acknowledge:12",
        "acknowledge:1 2:3",
        "acknowledge:12:-1",
        "a:b:c:d",
    ],
)
def test_foreign_button_data_is_no_button(data: str) -> None:
    assert Button.parse(data) is None


@given(st.text())
def test_any_button_data_can_be_read(data: str) -> None:
    assert Button.parse(data) is None or ":" in data


def test_a_button_that_no_platform_could_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        _ = Button(Verb.PICK, "12", 1, "诉" * 20).data
