"""One cause is one cause, whatever a platform adds to its words from call to call."""

import pytest

from domain.causes import MOST, same_cause


@pytest.mark.parametrize(
    "one,other,plain",
    [
        ("Forbidden: bot was kicked", "Forbidden: bot was kicked", "Forbidden: bot was kicked"),
        (
            "invalid chatid, hint: [1741234567890123] from ip: 1.2.3.4, more info at https://x?e=40097 (40097)",
            "invalid chatid, hint: [9999999999999999] from ip: 5.6.7.8, more info at https://x?e=40097 (40097)",
            "invalid chatid (40097)",
        ),
        ("the file 9f86d081884c7d659a2f is gone", "the file 4355a46b19d348dc2f57 is gone", "the file … is gone"),
        ("request 123456 failed", "request 654321 failed", "request … failed"),
    ],
)
def test_what_differs_from_call_to_call_is_left_out(one: str, other: str, plain: str) -> None:
    assert same_cause(one) == same_cause(other) == plain


def test_different_refusals_stay_different() -> None:
    assert same_cause("not allowed (60111)") != same_cause("not allowed (60112)")
    assert len(same_cause("x " * 200)) <= MOST
