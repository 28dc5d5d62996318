"""Every broken config stops the program with status 78, by its key, line and remedy, before anything is opened."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from tests.bot.test_config import BROKEN, PARK, SECRETS
from tests.conftest import Tally

READABLE = 0o644


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("the network was used")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], str]:
    """Start the program with a config; what it says when it stops with 78, having opened and written nothing."""
    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)

    def run(text: str, mode: int = 0o600) -> str:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        ended = CliRunner().invoke(main, ["--config", str(path), "run"])
        assert ended.exit_code == 78, (text, ended.output)
        assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]
        return ended.output.replace(f"{path}:", "line ")

    return run


def test_each_is_told_by_line_key_and_remedy(start: Callable[[str], str], tally: Tally) -> None:
    for text, line, key, remedy in BROKEN:
        told = start(f"{PARK}{text}\n")
        assert f"line {line} {key}" in told, text
        assert remedy in told, text
    tally("R12", len(BROKEN))
    assert len(BROKEN) >= 40


def test_a_secret_that_others_can_read_is_one_too(start: Callable[[str, int], str], tally: Tally) -> None:
    for text in SECRETS:
        assert "chmod 600" in start(PARK + text, READABLE)
    tally("R12", len(SECRETS))
