"""The shape of every call: parameters checked against the published schema, with checkers compiled once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

API: dict[str, Any] = json.loads((Path(__file__).parent / "api.json").read_text(encoding="utf-8"))
INTEGER = re.compile(r"-?[0-9]{1,19}")
TRUTHS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


class Mismatch(Exception):
    """A value that does not have the shape the schema wants; the text says where."""


Checker = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a call cannot be taken: the status and description to answer, and what to hold against the client."""

    status: int
    description: str
    offence: str


@dataclass(frozen=True, slots=True)
class Part:
    """A file that came with a multipart call; stands where the schema says InputFile."""

    name: str
    filename: str
    content_type: str
    data: bytes


def check_integer(value: Any, where: str) -> int:
    """A whole number, or text that spells one where the call came as a form."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Form) and INTEGER.fullmatch(value):
        return int(value)
    raise Mismatch(f"{where} must be an Integer")


def check_float(value: Any, where: str) -> float:
    """Any number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, Form):
        try:
            return float(value)
        except ValueError:
            pass
    raise Mismatch(f"{where} must be a Float")


def check_boolean(value: Any, where: str) -> bool:
    """True or false; in a form as a word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Form) and value in TRUTHS:
        return TRUTHS[value]
    raise Mismatch(f"{where} must be a Boolean")


def check_true(value: Any, where: str) -> bool:
    """A flag that can only be raised."""
    if check_boolean(value, where):
        return True
    raise Mismatch(f"{where} must be True")


def check_string(value: Any, where: str) -> str:
    """Text."""
    if isinstance(value, str):
        return str(value)
    raise Mismatch(f"{where} must be a String")


def check_file(value: Any, where: str) -> Part:
    """A file part of the call itself."""
    if isinstance(value, Part):
        return value
    raise Mismatch(f"{where} must be a file")


class Form(str):
    """A parameter of a form or of multipart: text that may spell a number, a flag or JSON."""

    __slots__ = ()


def unfold(value: Any, where: str) -> Any:
    """The object a form spells as JSON; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Mismatch(f"{where} is not valid JSON") from None


def array(inner: Checker) -> Checker:
    """The checker of a list whose items pass `inner`."""

    def check(value: Any, where: str) -> list[Any]:
        found = unfold(value, where)
        if not isinstance(found, list):
            raise Mismatch(f"{where} must be an Array")
        return [inner(item, f"{where}[{index}]") for index, item in enumerate(found)]

    return check


def either(choices: list[Checker]) -> Checker:
    """The checker of a value that may have several shapes; the first that fits counts."""

    def check(value: Any, where: str) -> Any:
        reasons = []
        for choice in choices:
            try:
                return choice(value, where)
            except Mismatch as mismatch:
                reasons.append(str(mismatch))
        raise Mismatch(" or ".join(dict.fromkeys(reasons)))

    return check


def record(fields: Mapping[str, tuple[Checker, bool]], constant: str | None) -> Checker:
    """The checker of an object; `constant` is what its `type` must say, if it is one of several kinds."""
    required = [name for name, (_, wanted) in fields.items() if wanted]

    def check(value: Any, where: str) -> dict[str, Any]:
        found = unfold(value, where)
        if not isinstance(found, dict):
            raise Mismatch(f"{where} must be an object")
        if constant is not None and found.get("type") != constant:
            raise Mismatch(f"{where}.type must be {constant}")
        for name in required:
            if name not in found:
                raise Mismatch(f"{where}.{name} is missing")
        for name, item in found.items():
            if name not in fields:
                raise Mismatch(f"{where}.{name} is not in the schema")
            fields[name][0](item, f"{where}.{name}")
        return found

    return check


SIMPLE: dict[str, Checker] = {
    "Integer": check_integer,
    "Float": check_float,
    "Boolean": check_boolean,
    "True": check_true,
    "String": check_string,
    "InputFile": check_file,
}


def constants() -> dict[str, str]:
    """What `type` says in each kind of a union, e.g. BotCommandScopeAllPrivateChats -> all_private_chats."""
    found = {}
    for union in ("BotCommandScope", "InputMedia", "ReactionType", "MenuButton"):
        for kind in API["types"][union]["subtypes"]:
            word = kind.removeprefix(union)
            found[kind] = re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()
    return found


CONSTANTS = constants()


@cache
def checker(name: str) -> Checker:
    """The checker of a type by its name in the schema; made when it is first needed, so types may nest."""
    if name.startswith("Array of "):
        return array(checker(name.removeprefix("Array of ")))
    if name in SIMPLE:
        return SIMPLE[name]
    made: list[Checker] = []

    def check(value: Any, where: str) -> Any:
        if not made:
            made.append(compose(name))
        return made[0](value, where)

    return check


def compose(name: str) -> Checker:
    """Build the checker of an object type or of a union of them."""
    described = API["types"][name]
    if "subtypes" in described:
        return either([checker(kind) for kind in described["subtypes"]])
    return record(describe(described["fields"]), CONSTANTS.get(name))


def describe(fields: Mapping[str, Any]) -> dict[str, tuple[Checker, bool]]:
    """The checker of each field, and whether the field must be there."""
    return {name: (one_of(types), bool(required)) for name, (types, required) in fields.items()}


def one_of(types: list[str]) -> Checker:
    """The checker of a field that may have any of the types; the items of a list may differ among themselves."""
    if len(types) == 1:
        return checker(types[0])
    if all(name.startswith("Array of ") for name in types):
        return array(one_of([name.removeprefix("Array of ") for name in types]))
    return either([checker(name) for name in types])


METHODS: dict[str, str] = {name.lower(): name for name in API["methods"]}


@cache
def signature(method: str) -> tuple[dict[str, tuple[Checker, bool]], tuple[str, ...]]:
    """Checkers of a method's parameters, and the names it cannot do without."""
    fields = describe(API["methods"][method])
    return fields, tuple(name for name, (_, required) in fields.items() if required)


def missing(method: str, name: str) -> Problem:
    """What the platform says where a parameter is not there."""
    words = {"text": "message text is empty", "photo": "there is no photo in the request"}
    words["document"] = "there is no document in the request"
    reason = words.get(name, f"{name} is empty")
    return Problem(400, f"Bad Request: {reason}", f"{method}: {name} is missing")


def check(method: str, params: dict[str, Any]) -> Problem | None:
    """Check a call and put its values into their types, in place; the Problem if it is not one of the schema's."""
    if method not in API["methods"]:
        return Problem(404, "Not Found", f"{method}: no such method")
    fields, required = signature(method)
    for name, value in params.items():
        if name not in fields:
            return Problem(400, f"Bad Request: unknown parameter {name}", f"{method}: unknown parameter {name}")
        try:
            params[name] = fields[name][0](value, name)
        except Mismatch as mismatch:
            return Problem(400, f"Bad Request: {mismatch}", f"{method}: {mismatch}")
    for name in required:
        if name not in params:
            return missing(method, name)
    return None
