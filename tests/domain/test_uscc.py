"""The check digit of GB 32100-2015 finds the slips that people make when they copy a code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import uscc

BODIES = st.text(alphabet=uscc.ALPHABET, min_size=17, max_size=17)


def test_a_code_known_to_be_valid_is_valid() -> None:
    """The example that explanations of the standard use."""
    assert uscc.fault("91350100M000100Y43") is None


@given(BODIES)
def test_a_code_with_its_check_character_is_valid(body: str) -> None:
    assert uscc.fault(body + uscc.check_character(body)) is None


@given(BODIES, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
def test_one_wrong_character_is_always_found(body: str, place: int, other: str) -> None:
    code = body + uscc.check_character(body)
    slipped = code[:place] + other + code[place + 1 :]
    assert (uscc.fault(slipped) is None) == (slipped == code)


@given(BODIES, st.integers(0, 16))
def test_two_neighbours_swapped_are_always_found(body: str, place: int) -> None:
    code = body + uscc.check_character(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (uscc.fault(swapped) is None) == (swapped == code)


@pytest.mark.parametrize(
    "code, fault",
    [("", "length"), ("9135010", "length"), ("91350100M000100Y4O", "alphabet"), ("91350100M000100Y44", "check")],
)
def test_a_bad_code_is_told_by_its_kind(code: str, fault: str) -> None:
    assert uscc.fault(code) == fault


def test_full_width_lower_case_and_dashes_are_put_right() -> None:
    assert uscc.normalise(" ９１350100-m000100y43 ") == "91350100M000100Y43"
