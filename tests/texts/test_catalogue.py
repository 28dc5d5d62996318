"""How the catalogue is read, overruled and refused."""

from typing import Any

import pytest

from domain.verbs import Verb
from texts import Catalogue, TextError, holes
from texts.catalogue import _entries, _entry_faults


def test_a_park_overrules_a_sentence_in_one_language_and_keeps_the_other() -> None:
    catalogue = Catalogue.load({"word.yes": {"zh": "对"}})
    assert catalogue.texts["word.yes"].zh == "对"
    assert catalogue.texts["word.yes"].en == "yes"
    assert Catalogue.load().texts["word.yes"].zh == "是"


def test_a_park_may_leave_a_hole_out() -> None:
    assert (
        Catalogue.load({"time.when": {"zh": "{month}{day}日{time}"}}).texts["time.when"].zh
        == "{month}{day}日{time}"
    )


@pytest.mark.parametrize(
    "overrides, complaint",
    [
        ({"word.maybe": {"zh": "也许"}}, "word.maybe: there is no such sentence"),
        ({"word.yes": {"fr": "oui"}}, "word.yes: unknown language fr"),
        ({"word.yes": {"zh": "{who}"}}, r"word.yes \(zh\): unknown hole {who}; allowed are: none"),
        (
            {"time.day": {"en": "{dy}"}},
            r"time.day \(en\): unknown hole {dy}; allowed are: {day}, {month}, {weekday}",
        ),
        ({"time.day": {"zh": "{day:long}"}}, "unknown format in {day:long}; known are: date, day, percent"),
        ({"time.day": {"zh": "{day.year}"}}, "a hole is a plain name"),
        ({"time.day": {"zh": "{day"}}, r"time.day \(zh\)"),
        ({"verb.appeal": {"zh": "咨询"}}, "「咨询」 is already a word for verb.appeal"),
    ],
)
def test_a_sentence_that_does_not_fit_is_refused_with_the_reason(
    overrides: dict[str, dict[str, str]], complaint: str
) -> None:
    with pytest.raises(TextError, match=complaint):
        Catalogue.load(overrides)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(TextError) as told:
        Catalogue.load({"word.yes": {"zh": "{a}"}, "word.no": {"zh": "{b}"}})
    assert str(told.value).count("\n") == 1


@pytest.mark.parametrize(
    "entry, fault",
    [
        ({"zh": "是"}, "lacks en"),
        ({"zh": "{a}", "en": "{b}"}, "the holes differ: {a}, {b}"),
        ({"zh": "是", "en": "yes", "de": "ja"}, "unknown de"),
        ({"zh": "{0}", "en": "{0}"}, "plain name"),
    ],
)
def test_a_faulty_text_is_named(entry: dict[str, Any], fault: str) -> None:
    assert fault in next(iter(_entry_faults({}, "some.key", entry)))


def test_a_key_may_be_quoted_or_dotted() -> None:
    sentence = {"zh": "是", "en": "yes"}
    assert list(_entries({"a.b": sentence})) == list(_entries({"a": {"b": sentence}})) == [("a.b", sentence)]


def test_words_of_both_languages_and_all_spellings_name_the_verb() -> None:
    words = Catalogue.load().words()
    for word in ("诉求", "求助", "appeal"):
        assert words[word] is Verb.APPEAL
    assert words["签收"] is words["accept"] is Verb.ACKNOWLEDGE


def test_a_button_reads_well_in_both_languages() -> None:
    catalogue = Catalogue.load()
    assert catalogue.label(Verb.ME_TOO, "zh") == "我家也有"
    assert catalogue.label(Verb.ME_TOO, "en") == "Me too"
    assert catalogue.label(Verb.ACKNOWLEDGE, "en") == "Accept"


def test_holes_of_a_sentence() -> None:
    assert holes("{number}：{due:when} {{literal}}") == {"number", "due"}
