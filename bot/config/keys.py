"""All keys that config.toml may have, read off the model: for suggestions, for secrets, for the reference page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config.model import Config
from bot.config.problems import Path


@dataclass(frozen=True, slots=True)
class Key:
    """One key or table: the way to it without places in lists, its field, and the model of a table."""

    path: tuple[str, ...]
    field: FieldInfo
    model: type[BaseModel] | None
    many: bool
    twin: bool

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path[-1]

    @property
    def text(self) -> str:
        """The key of the sentence that explains it; all twins of secrets share one."""
        return "setting.secret_file" if self.twin else f"setting.{'.'.join(self.path)}"

    @property
    def kind(self) -> str:
        """What is written there: text, duration, secret ..."""
        bare = _bare(self.field.annotation)
        marks = [*self.field.metadata, *getattr(bare, "__metadata__", ())]
        named = [mark for mark in marks if isinstance(mark, str)]
        return named[-1] if named else _KINDS.get(bare, _choices(bare))


_KINDS: dict[Any, str] = {bool: "true / false", int: "number", str: "text"}


def children(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Key]:
    """The keys and tables right inside one table."""
    fields = model.model_fields
    for name, field in fields.items():
        inner, many = _table(field.annotation)
        twin = name.endswith("_file") and name.removesuffix("_file") in fields
        yield Key((*path, field.alias or name), field, inner, many, twin)


def keys(model: type[BaseModel] = Config, path: tuple[str, ...] = ()) -> Iterator[Key]:
    """All keys and tables, each table before what it holds."""
    for key in children(model, path):
        yield key
        if key.model is not None:
            yield from keys(key.model, key.path)


def secrets() -> Iterator[tuple[str, ...]]:
    """The ways to all secrets: whatever has a twin that names a file."""
    for key in keys():
        if key.twin:
            yield (*key.path[:-1], key.name.removesuffix("_file"))


def find(path: Path) -> Key | None:
    """The key at a path; places in lists do not matter."""
    names = tuple(part for part in path if isinstance(part, str))
    return next((key for key in keys() if key.path == names), None)


def _table(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model of a nested table, and whether there may be many of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    inner = [found for part in get_args(annotation) if (found := _table(part)[0]) is not None]
    return (inner[0], getattr(annotation, "__origin__", None) is tuple) if inner else (None, False)


def _bare(annotation: Any) -> Any:
    """The type without `| None`."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if type(None) in get_args(annotation) else annotation


def _choices(bare: Any) -> str:
    """The values of a list of words, of an enumeration or a literal; anything else is a file."""
    arguments = get_args(bare)
    if getattr(bare, "__origin__", None) is tuple:
        return f"list of: {_choices(arguments[0])}"
    words = [*map(str, arguments)] or [str(word) for word in getattr(bare, "__members__", {}).values()]
    return " / ".join(words) or "file"
