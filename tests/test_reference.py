"""The reference is complete and up to date. The keys of config.toml are held by tests/bot/test_config.py."""

import re
from pathlib import Path

import pytest
from starlette.routing import Mount, Route

from bot.__main__ import CONFIG_ERROR, FAILED
from bot.channels import CHANNELS
from bot.web import demo
from bot.web.server import ROUTES
from deploy.reference import command_line, commands, pages
from deploy.reference.program import EVERY_JOB
from deploy.reference.tables import DOCS, catalogue, data, first_words, table
from domain.access import Relation
from domain.appeal import Status
from domain.lifecycle import STEPS
from domain.roster import COLUMNS, Sheet
from domain.rules import Listener
from domain.verbs import Verb
from handlers import ROUTER, spelling
from texts.catalogue import SPECS

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = [(verb, words["say"]) for verb, words in commands.described().items()]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BETWEEN_BACKTICKS = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MARK = "<!-- made: {}, by `make reference` -->\nold\n<!-- end -->"


def page(name: str) -> str:
    """A page of the reference."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def links(path: Path) -> list[str]:
    """The relative links of a page, without what is quoted as code."""
    found = LINK.findall(BETWEEN_BACKTICKS.sub("", path.read_text(encoding="utf-8")))
    return [link.partition("#")[0] for link in found if "://" not in link and not link.startswith("#")]


def broken(path: Path) -> list[str]:
    """Those of its relative links that lead nowhere."""
    return [link for link in links(path) if not (path.parent / link).exists()]


# Up to date -----------------------------------------------------------------------------------------------------------
def test_the_generated_tables_say_what_the_program_says() -> None:
    late = [path.name for path in pages.stale()]
    assert not late, f"run `make reference`; it will change {', '.join(late)}"


def test_every_generated_table_stands_in_one_page() -> None:
    placed = [name for path in DOCS.glob("*.md") for name in pages.placed(path.read_text(encoding="utf-8"))]
    assert sorted(placed) == sorted(pages.BLOCKS)


def test_what_people_wrote_around_a_table_stays() -> None:
    renewed = pages.renewed(f"Before.\n{MARK.format('jobs')}\nAfter.")
    assert renewed.startswith("Before.\n<!-- made: jobs")
    assert renewed.endswith("<!-- end -->\nAfter.")
    assert "\nold\n" not in renewed
    assert pages.renewed(renewed) == renewed


def test_a_mark_that_nobody_makes_is_told() -> None:
    with pytest.raises(KeyError, match="weather"):
        pages.renewed(MARK.format("weather"))


def test_a_bar_in_a_cell_does_not_split_it() -> None:
    assert table(["a"], [["x|y\nz"]]).splitlines()[-1] == "| x&#124;y z |"


def test_a_job_or_address_without_a_docstring_is_told() -> None:
    with pytest.raises(ValueError, match="no docstring"):
        first_words(lambda: None)


# Commands -------------------------------------------------------------------------------------------------------------
def test_every_command_that_is_answered_is_described_and_no_other() -> None:
    assert set(commands.described()) == set(ROUTER.commands)


@pytest.mark.parametrize("verb", sorted(ROUTER.commands))
def test_a_command_stands_in_the_reference_with_all_its_words(verb: Verb) -> None:
    text = catalogue().texts[f"verb.{verb}"]
    rows = [line for line in page("commands").splitlines() if line.startswith(f"| **{text.zh}** {text.en}")]
    assert len(rows) == 1
    assert all(word in rows[0] for word in text.also)


@pytest.mark.parametrize("verb,say", EXAMPLES)
def test_an_example_is_understood_as_its_command(verb: Verb, say: str) -> None:
    spoken = spelling.read(say, catalogue().words(), private=True, addressed=False, bot_names=("联企",))
    assert spoken.verb is verb
    if " 12" in say:
        assert spoken.numbers == ("12",)


def test_every_command_is_described_in_both_languages() -> None:
    for verb, words in commands.described().items():
        assert words["zh"].endswith("。"), verb
        assert words["en"].endswith("."), verb
        assert set(words) <= {"say", "zh", "en", "like"}, verb


def test_every_relation_and_listener_has_words() -> None:
    assert set(data("commands")["relations"]) == set(Relation)
    assert set(data("ladder")["listeners"]) == set(Listener)


# Roster, life cycle, texts --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sheet", Sheet)
def test_every_column_of_the_roster_is_described_and_no_other(sheet: Sheet) -> None:
    assert list(data("roster")[sheet]) == [column.name for column in COLUMNS[sheet]]


def test_every_status_and_step_stands_in_the_life_cycle() -> None:
    shown = page("lifecycle")
    assert [status for status in Status if f"| `{status}` |" not in shown] == []
    assert [verb for verb, _ in STEPS if f" `{verb}`" not in shown] == []


def test_every_format_of_a_hole_is_explained() -> None:
    assert [spec for spec in SPECS if spec and f":{spec}}}" not in page("texts")] == []


# The program ----------------------------------------------------------------------------------------------------------
def test_every_job_is_described() -> None:
    assert re.findall(r"^## `(\w+)`$", page("jobs"), re.MULTILINE) == [job.name for job in EVERY_JOB]


def test_every_channel_is_described() -> None:
    assert re.findall(r"^## `(\w+)`$", page("channels"), re.MULTILINE) == list(CHANNELS)
    assert [name for name in CHANNELS if f"## [channels.{name}]" not in page("config")] == []


def test_every_verb_and_option_of_the_command_line_stands_there() -> None:
    words = set(re.findall(r"[\w-]+", page("cli")))
    assert [spelling for spelling in command_line.spellings() if spelling not in words] == []


def test_every_verb_of_the_command_line_is_explained() -> None:
    told = " ".join(re.findall(r"^- (.*)", page("cli"), re.MULTILINE))
    verbs = [spelling for spelling in command_line.spellings() if not spelling.startswith("-")]
    assert [verb for verb in verbs if f"`{verb}" not in told] == []


def test_the_exit_codes_are_explained() -> None:
    rows = re.findall(r"^\| (\d+) \|", page("cli"), re.MULTILINE)
    assert rows == ["0", str(FAILED), "2", str(CONFIG_ERROR)]


@pytest.mark.parametrize("route", [*ROUTES, *demo.ROUTES], ids=lambda route: f"{route.path} {route.name}")
def test_every_address_stands_in_the_reference(route: Route | Mount) -> None:
    path = f"{route.path}/…" if isinstance(route, Mount) else route.path
    assert f"| `{path}` |" in page("http")


# Links ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert broken(path) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    here = tmp_path / "page.md"
    here.write_text("[a](page.md#top) ![b](no.png) [c](https://x.example/d) [e](#f) `[g](no.md)`", encoding="utf-8")
    assert broken(here) == ["no.png"]


def test_the_index_leads_to_every_page() -> None:
    assert {path.name for path in DOCS.glob("*.md")} - {"index.md"} <= set(links(DOCS / "index.md"))
