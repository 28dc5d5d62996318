"""The guides for going live say what the program says: configs that load, commands that are there, lines it prints."""

import re
import shlex
from pathlib import Path

import click
import pytest

from bot.__main__ import main
from bot.config import load_config
from deploy.reference.tables import catalogue

ROOT = Path(__file__).resolve().parent.parent
GUIDES = [ROOT / "docs" / "telegram.md", ROOT / "docs" / "wecom.md", ROOT / "docs" / "operations.md"]
EVERY = [ROOT / "README.md", *GUIDES, *(ROOT / "docs" / f"{name}.md" for name in ("audit", "calendar", "deploying"))]
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?:(?:^|\s|`)(?:\.venv/bin/)|`)lianqi ([a-z][^`\n（，,；。]*)")
LINE = re.compile(r"^\| ([✗·]) ([^|]+?) \|", re.MULTILINE)
LOGGED = re.compile(r"^\| `([a-z][^`]+)`", re.MULTILINE)
SHOWN = re.compile(r"^([✗·]) (.+)$", re.MULTILINE)
PARK = '[park]\nname = "试点园区"\n'
TO_CHOOSE = "换成 32 个随机字母数字"
"""What stands in a guide for something that everybody has to make up himself."""


def configs() -> list[tuple[str, str]]:
    """Every config that a guide shows."""
    return [(path.name, block) for path in GUIDES for block in TOML.findall(path.read_text(encoding="utf-8"))]


def commands() -> list[str]:
    """Every command that a guide or the README shows, without what a shell or a reader adds."""
    found = [line for path in EVERY for line in COMMAND.findall(path.read_text(encoding="utf-8"))]
    return sorted({re.split(r"\s{2,}|：", line)[0].strip() for line in found})


def pattern(zh: str) -> re.Pattern[str]:
    """A sentence of the program, with anything in its holes."""
    return re.compile(".*?".join(re.escape(part) for part in re.split(r"\{[^{}]*\}", zh)))


def check_sentences() -> list[str]:
    """What `lianqi check` can say."""
    return [text.zh for key, text in catalogue().texts.items() if key.startswith("check.")]


def said_somewhere(words: str, sentences: list[str]) -> bool:
    """Whether all pieces between the dots of a quotation stand in one sentence, in their order."""
    pieces = [piece for piece in re.split(r"…|wecom_aibot", words) if piece.strip()]
    wanted = re.compile(".*".join(re.escape(piece.strip(" 。：")) for piece in pieces))
    return any(wanted.search(sentence) for sentence in sentences)


@pytest.mark.parametrize("guide,block", configs())
def test_a_config_that_a_guide_shows_loads(guide: str, block: str, tmp_path: Path) -> None:
    assert guide
    path = tmp_path / "config.toml"
    path.write_text(PARK + block.replace(TO_CHOOSE, "x" * 32), encoding="utf-8")
    path.chmod(0o600)
    load_config(path, {})


@pytest.mark.parametrize("line", commands())
def test_a_command_that_a_guide_shows_is_one(line: str) -> None:
    verb, *words = shlex.split(line)
    command = main.commands[verb]
    options = {name for each in command.params for name in each.opts if isinstance(each, click.Option)}
    assert {word for word in words if word.startswith("-")} <= options
    choices = [each.type.choices for each in command.params if isinstance(each.type, click.Choice)]
    assert all(words[0] in offered for offered in choices)


def test_the_guides_show_commands_of_every_kind() -> None:
    assert {line.split()[0] for line in commands()} >= {"check", "invite", "import", "export", "run"}


@pytest.mark.parametrize("line", [line for _, line in LINE.findall(GUIDES[1].read_text(encoding="utf-8"))])
def test_a_line_that_the_table_of_wecom_explains_is_one_that_check_prints(line: str) -> None:
    assert said_somewhere(line, check_sentences()), line


def test_what_check_is_shown_to_print_for_wecom_is_what_it_prints() -> None:
    shown = [line for _, line in SHOWN.findall(GUIDES[1].read_text(encoding="utf-8"))]
    assert len(shown) > 4
    sentences = [pattern(zh) for zh in check_sentences()]
    assert [line for line in shown if not any(one.fullmatch(line) for one in sentences)] == []


def test_a_log_line_that_the_guide_of_wecom_explains_is_one_that_is_logged() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py"))
    lines = LOGGED.findall(GUIDES[1].read_text(encoding="utf-8"))
    begun = [re.split(r"…|:|\d|wecom_aibot", line)[0].strip() for line in lines if " " in line]
    assert len(begun) > 6
    assert [line for line in begun if f'"{line}' not in source] == []
