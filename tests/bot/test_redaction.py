"""What no log may hold is found however it is written; what only looks like it is left alone."""

import re

import pytest

from bot.redaction import Redactor
from tests.bot import labelled
from tests.summary import Tally

POSITIVES = list(labelled.positives())
NEGATIVES = list(labelled.negatives())
MARK = re.compile(r"\[(?:phone|identity card|bank card|secret|token)\]")
redact = Redactor()


def bare(text: str) -> str:
    """Letters and digits alone, full-width ones as plain."""
    return re.sub(r"[^0-9a-z]", "", text.translate({0xFF01 + n: 0x21 + n for n in range(94)}).lower())


def test_the_tables_are_as_large_as_they_should_be_and_hold_no_line_twice() -> None:
    assert len({line.text for line in POSITIVES}) == len(POSITIVES) == labelled.EACH
    assert len({line.text for line in NEGATIVES}) == len(NEGATIVES) == labelled.EACH


def test_of_three_hundred_lines_with_something_to_hide_every_one_is_rid_of_it(tally: Tally) -> None:
    missed = [
        (line.text, redact(line.text))
        for line in POSITIVES
        if bare(line.hidden) in bare(redact(line.text)) or not MARK.search(redact(line.text))
    ]
    assert not missed, f"{len(missed)} missed: {missed[:8]}"
    tally("S18", len(POSITIVES))


def test_nothing_of_a_hidden_number_is_left_over() -> None:
    left = [
        (line.text, redact(line.text))
        for line in POSITIVES
        if line.kind != "secret" and re.search(r"\d{5}", redact(line.text))
    ]
    assert not left, left[:5]


def test_of_three_hundred_lines_that_look_alike_every_one_stays_as_it_is(tally: Tally) -> None:
    hit = [(line.text, redact(line.text)) for line in NEGATIVES if redact(line.text) != line.text]
    assert not hit, f"{len(hit)} hit: {hit[:8]}"
    tally("S18", len(NEGATIVES))


@pytest.mark.parametrize(
    "line,left",
    [
        ("GET https://api.telegram.org/bot123456:AAHabcdefghijklmnopqrstuvwxyz01234567/getMe", "/bot[token]/getMe"),
        ("13812345678和13987654321", "[phone]和[phone]"),
        ("13812345678/13987654321", "[phone]/[phone]"),
        ("张总13812345678，身份证53010219900307106X", "张总[phone]，身份证[identity card]"),
        ("座机：63123456", "座机：[phone]"),
        ("?key=abc&access_token=SECRETSECRET&x=1", "?key=[secret]&access_token=[secret]&x=1"),
    ],
)
def test_what_stands_around_it_stays(line: str, left: str) -> None:
    assert left in redact(line)


def test_the_parks_own_secrets_go_whatever_they_look_like() -> None:
    own = Redactor(["correct horse", "a/b+c=d=e", "short"])
    assert own("a correct horse, a/b+c=d=e, a%2Fb%2Bc%3Dd%3De and short") == "a [secret], [secret], [secret] and short"
