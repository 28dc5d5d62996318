"""Reads config.toml and the environment into one Config, or says everything that is wrong at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.environment import lay_over
from bot.config.explaining import explain
from bot.config.lines import line_of_error, lines_of
from bot.config.model import Config
from bot.config.origin import Origin
from bot.config.problems import ConfigError, Problem
from bot.config.secret_files import is_exposed, settle_secrets
from domain.said import Said

_FULL_WIDTH = re.compile("[“”‘’＝，：；【】［］＃]")
_KEY = re.compile(r"\s*\[{0,2}([\w.\"-]+)")


def load_config(path: Path | None, env: Mapping[str, str]) -> Config:
    """The configuration of a file with the environment over it; None takes the environment alone.

    Raises ConfigError with every problem that was found; nothing of the network has been touched then.
    """
    data = {} if path is None else _parse(path)
    source = "" if path is None else path.read_text(encoding="utf-8-sig")
    origin = Origin(str(path or ""), lines_of(source), lay_over(data, env))
    exposed = path is not None and is_exposed(path)
    problems = list(settle_secrets(data, origin, env, exposed=exposed))
    told = {problem.key.removesuffix("_file") for problem in problems}
    try:
        config = Config.model_validate(data, context=origin)
    except ValidationError as error:
        problems += [problem for problem in explain(error, origin) if problem.key not in told]
        raise ConfigError(problems) from None  # pydantic's own words may repeat what stands in the file
    if problems:
        raise ConfigError(problems)
    return config


def _parse(path: Path) -> dict[str, Any]:
    try:
        source = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise _unreadable(path, Said("config.no_file")) from None
    except UnicodeDecodeError:
        raise _unreadable(path, Said("config.not_utf8")) from None
    except OSError:
        raise _unreadable(path, Said("config.unreadable")) from None
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(path, source, error)]) from None


def _unreadable(path: Path, said: Said) -> ConfigError:
    return ConfigError([Problem(str(path), 0, "", said)])


def _syntax(path: Path, source: str, error: tomllib.TOMLDecodeError) -> Problem:
    """What tomllib stumbled over; full-width marks out of a Chinese keyboard are the usual cause."""
    line = line_of_error(error, source)
    text = (source.splitlines() or [""])[min(line, source.count("\n") + 1) - 1 :][:1]
    wording = "".join(text)
    key = _KEY.match(wording)
    found = _FULL_WIDTH.search(wording.partition("#")[0])
    said = (
        Said("config.full_width", {"mark": found[0]})
        if found
        else Said("config.syntax", {"what": re.sub(r" \(at .*\)$", "", str(error))})
    )
    return Problem(str(path), line, key[1] if key else "", said)
