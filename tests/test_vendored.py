"""What came from elsewhere is what it was when it came: files by their recorded hash, packages by those of locks."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from bot.web import page
from tests.summary import Tally

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "requirements" / "vendored.toml"
VENDORED = tomllib.loads(RECORD.read_text(encoding="utf-8"))
KINDS = frozenset({".js", ".mjs", ".css", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".svg", ".wasm", ".map", ".json"})
KINDS |= {".xsd", ".dtd", ".csv", ".whl", ".jar", ".so", ".dll", ".min", ".gz", ".zip"}
FOLDERS = ("bot", "handlers", "domain", "storage", "reports", "texts", "deploy", "benchmarks", "tests", "docs")
OWN = frozenset(
    {f"bot/web/static/{name}" for name in ("chat.css", "chat.js", "composer.js", "demo.js", "parts.js", "talk.js")}
    | {"bot/web/static/icon.svg", "tests/stories/golden/one_appeal.json"}
)
"""Written here: no other project's mark may stand in them."""
FOREIGN = re.compile(
    r"copyright|@licen[cs]e|\blicen[cs]ed\b|\(c\)\s*\d{4}|sourceMappingURL|webpack|@preserve|\bv\d+\.\d+\.\d+\b"
    r"|https?://(?!www\.w3\.org/)|@import|url\(\s*['\"]?(?:https?:)?//",
    re.IGNORECASE,
)
LONGEST_LINE = 400
LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.lock"))


def of_such_kinds() -> set[str]:
    """Every file that may well have come from elsewhere."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix.lower() in KINDS and "__pycache__" not in path.parts
    }


def requirements(lock: str) -> list[str]:
    """Each requirement of a lock with all that belongs to it, as pip reads it."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_file_that_came_from_elsewhere_is_recorded_or_written_here() -> None:
    assert of_such_kinds() == OWN | VENDORED.keys()


@pytest.mark.parametrize("path", VENDORED)
def test_a_vendored_file_is_what_was_recorded_with_its_origin_and_terms(path: str, tally: Tally) -> None:
    said = VENDORED[path]
    assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == said["sha256"]
    assert said.keys() == {"sha256", "origin", "licence"}
    assert min(len(said["origin"]), len(said["licence"])) > 10
    tally("S22", 1)


@pytest.mark.parametrize("path", sorted(OWN))
def test_what_is_written_here_bears_nobody_elses_mark(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert FOREIGN.findall(text) == []
    assert max(map(len, text.splitlines())) < LONGEST_LINE, "a file that was made smaller by a tool is no source"


@pytest.mark.parametrize("name", sorted(path.name for path in (page.STATIC.parent / "templates").iterdir()))
def test_a_page_fetches_nothing_from_elsewhere(name: str) -> None:
    text = (page.STATIC.parent / "templates" / name).read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_one_version_with_its_hashes(lock: str, tally: Tally) -> None:
    found = requirements(lock)
    assert found
    for line in found:
        assert re.match(r"[a-z0-9._-]+(?:\[[a-z0-9,._-]+\])?==[^\s;]+", line), line
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line), line
        assert " @ " not in line, line
        assert not line.startswith("-"), line
    tally("S22", len(found))
