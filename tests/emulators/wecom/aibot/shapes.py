"""A small language for the shape of JSON: what may stand where, how long, how many."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class Shape(Protocol):
    """Something that a value fits or does not."""

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with a value that stands at `path`."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """A string of at most `most` bytes, by default not an empty one; `among`: nothing but these."""

    most: int | None = None
    empty: bool = False
    among: tuple[str, ...] = ()

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with it."""
        if not isinstance(value, str):
            yield f"{path} is no string"
        elif not value and not self.empty:
            yield f"{path} is empty"
        elif self.among and value not in self.among:
            yield f"{path} is {value}"
        elif self.most is not None and len(value.encode()) > self.most:
            yield f"{path} has {len(value.encode())} bytes, {self.most} are allowed"


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer within bounds, ends included."""

    least: int = 0
    most: int | None = None

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{path} is no integer"
        elif value < self.least or (self.most is not None and value > self.most):
            yield f"{path} is {value}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A number within bounds."""

    least: float
    most: float

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{path} is no number"
        elif not self.least <= value <= self.most:
            yield f"{path} is {value}"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with it."""
        if not isinstance(value, bool):
            yield f"{path} is no boolean"


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of so many of one shape; the `unique` key of each must differ."""

    each: Shape
    least: int = 0
    most: int | None = None
    unique: str = ""

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with it."""
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            yield f"{path} has {len(value)} entries"
        for place, one in enumerate(value):
            yield from self.each.problems(one, f"{path}[{place}]")
        keys = [one.get(self.unique) for one in value if isinstance(one, dict)] if self.unique else []
        if len(set(map(str, keys))) < len(keys):
            yield f"{path}: two entries have the same {self.unique}"


@dataclass(frozen=True, slots=True)
class Record:
    """An object: what it must have, what it may have, and nothing else."""

    must: Mapping[str, Shape] = field(default_factory=dict)
    may: Mapping[str, Shape] = field(default_factory=dict)

    def problems(self, value: Any, path: str) -> Iterator[str]:
        """What is wrong with it."""
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        known = {**self.must, **self.may}
        yield from (f"{path}.{name} is missing" for name in self.must if name not in value)
        yield from (f"{path}.{name} is unknown" for name in value if name not in known)
        for name, shape in known.items():
            if name in value:
                yield from shape.problems(value[name], f"{path}.{name}")


def wrong(shape: Shape, value: Any, path: str) -> str:
    """The first thing that is wrong with a value, or nothing."""
    return next(shape.problems(value, path), "")
