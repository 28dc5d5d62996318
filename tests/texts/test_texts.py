"""All sentences of the project: both languages, the same holes, none missing, none unused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config.keys import keys
from domain import audit
from domain.appeal import Satisfaction, Solution, Source, Status
from domain.people import Person, Purpose, Role
from domain.roster import Sheet
from domain.rules import Clock, Difficulty, Kind
from domain.verbs import CONFIDENCES, Verb
from handlers import menus, policy_ledger
from texts import LANGUAGES, Catalogue, holes

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("bot", "console", "handlers", "storage", "reports", "texts", "domain")
CATALOGUE = Catalogue.load(strict=True)

# Families whose keys code puts together: Said(f"status.{status}"). Every other key must be named in full.
FAMILIES = {
    "verb.": set(Verb),
    "status.": {*Status, *(f"{status}.firm" for status in Status)},
    "kind.": {*Kind, "praise", "blocked_service"},
    "difficulty.": set(Difficulty),
    "obstruction.": set(CONFIDENCES),
    "source.": set(Source),
    "satisfaction.": set(Satisfaction),
    "solution.": set(Solution),
    "clock.": set(Clock),
    "role.": set(Role),
    "purpose.": set(Purpose),
    "remind.": {
        *(
            f"{clock}_{word}"
            for clock in ("acknowledge", "resolve", "part", "milestone", "order")
            for word in ("soon", "soon_external", "late", "late_external", "watch")
        ),
        *("one", "several", "dispatch", "survey", "survey_call", "latest", "no_progress", "release"),
    },
    "sheet.": set(Sheet),
    "menu.": {*menus.STRANGER, *menus.GROUP, *menus.verbs_for(Person(1, "", frozenset(Role)))},
    "audit.fault_": {*audit.Kind, "missing_many", "unknown"},
    "policy.column.": set(policy_ledger.COLUMNS),
    "setting.": {key.text.removeprefix("setting.") for key in keys()},
    "weekday.": {str(day) for day in range(1, 8)},
    "month.": {str(month) for month in range(1, 13)},
    "reason.": set(),  # a park's coordinator chooses from whatever stands there
}
WISHES = ("transfer", "extend", "suspend", "resume", "long_term", "assist", "refer", "difficulty")
FAMILIES |= {"triage.asked_": set(WISHES)}
FAMILIES |= {"paper.": set()}
SPEAKERS = {"Said", "Reply", "Refused"}


def sources() -> Iterator[Path]:
    for floor in FLOORS:
        for pattern in ("*.py", "*.html"):
            yield from (ROOT / floor).rglob(pattern)


def spoken(source: str) -> Iterator[tuple[str, set[str] | None]]:
    """What a module says by Said(), Reply() and Refused(): the key, and its facts if they stand there."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SPEAKERS and isinstance(node.args[0].value, str):
            yield node.args[0].value, facts_in_full(node)


def facts_in_full(call: ast.Call) -> set[str] | None:
    """The names of a literal dict of facts; None where the facts are put together elsewhere."""
    if len(call.args) == 1 and not call.keywords:
        return set()
    facts = call.args[1] if len(call.args) > 1 else None
    if not isinstance(facts, ast.Dict):
        return None
    names = {key.value for key in facts.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return names if len(names) == len(facts.keys) else None


def all_spoken() -> Iterator[tuple[str, str, set[str] | None]]:
    """Where, key, facts."""
    for path in sources():
        if path.suffix == ".py":
            for key, facts in spoken(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(ROOT)), key, facts


def test_every_sentence_has_both_languages_with_the_same_holes() -> None:
    for key, text in CATALOGUE.texts.items():
        assert text.zh, key
        assert text.en, key
        assert holes(text.zh) == holes(text.en), key


def test_english_sentences_are_english() -> None:
    chinese = re.compile("[\u4e00-\u9fff\uff00-\uff5e]")
    offenders = [key for key, text in CATALOGUE.texts.items() if chinese.search(text.en)]
    assert not offenders


def test_no_sentence_is_missing() -> None:
    missing = sorted({f"{place}: {key}" for place, key, _ in all_spoken() if key not in CATALOGUE.texts})
    assert not missing


def test_a_sentence_gets_a_fact_for_each_of_its_holes() -> None:
    gaps = sorted(
        f"{place}: {key} lacks {', '.join(sorted(lacking))}"
        for place, key, facts in all_spoken()
        if facts is not None and key in CATALOGUE.texts
        if (lacking := holes(CATALOGUE.texts[key].zh) - facts)
    )
    assert not gaps


DATED = re.compile(r"\{due:(when|day|date)\}")
WITHOUT_MARK = {
    "digest.days_late": "the date has passed, so its year has a table",
    "digest.just_late": "the date has passed",
    "digest.acknowledge_late": "the date has passed",
    "paper.reminder_opening": "the date has passed",
    "paper.letter_opening": "the date has passed",
    "look.event": "a step of the past, told as it was then",
}


def test_a_date_that_may_still_move_is_marked_wherever_it_is_shown() -> None:
    """暂定: a year without a published table; what is excused has its reason."""
    bare = [key for key, text in CATALOGUE.texts.items() if DATED.search(text.zh) and "{provisional}" not in text.zh]
    assert sorted(bare) == sorted(WITHOUT_MARK)


def test_no_sentence_is_unused() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources())
    named = set(re.findall(r"""["']([a-z_0-9]+(?:\.[a-z_0-9]+)+)["']""", code))
    unused = [key for key in CATALOGUE.texts if key not in named and not key.startswith(tuple(FAMILIES))]
    assert not unused


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_a_word_for_each_member(family: str) -> None:
    assert {f"{family}{member}" for member in FAMILIES[family]} <= set(CATALOGUE.texts)


def test_no_word_stands_for_something_that_does_not_exist() -> None:
    known = {f"{family}{member}" for family, members in FAMILIES.items() for member in members}
    closed = tuple(family for family, members in FAMILIES.items() if members)
    assert {key for key in CATALOGUE.texts if key.startswith(closed)} <= known


def test_every_verb_can_be_typed_in_both_languages() -> None:
    words = CATALOGUE.words()
    for verb in Verb:
        for language in LANGUAGES:
            assert words[CATALOGUE.word(verb, language).casefold()] is verb


def test_english_command_words_fit_a_platforms_command_menu() -> None:
    """Telegram takes 1-32 of a-z, 0-9 and _."""
    for verb in Verb:
        assert re.fullmatch("[a-z0-9_]{1,32}", CATALOGUE.word(verb, "en"))


def test_the_scan_sees_what_is_said() -> None:
    source = (
        'Said("a.b"); errors.Refused("c.d", {"x": 1}); Reply("e.f", {**y}); Reply(f"g.{h}"); other("i.j")'
    )
    assert list(spoken(source)) == [("a.b", set()), ("c.d", {"x"}), ("e.f", None)]
