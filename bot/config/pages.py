"""Writes config.example.toml and docs/reference/config.md from the model and the sentences about its keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic_core import PydanticUndefined

from bot.config.keys import Key, children
from bot.config.model import Config, starting_categories
from bot.config.problems import speak
from bot.config.sections import CategoryDeadlines, Deadlines
from bot.config.spelling import quote, to_toml
from domain.said import Said
from texts import LANGUAGES, Catalogue

SAMPLE_TEXT = "status.closed"


# The reference page ---------------------------------------------------------------------------------------------------
def reference() -> str:
    """docs/reference/config.md: every section with a table of its keys."""
    texts = Catalogue.load().texts
    intro = "\n\n".join(_intro(texts["config.page_intro"].of(language)) for language in LANGUAGES)
    head = [f"# {speak(Said('config.page_title'))}", f"<!-- {speak(Said('config.page_note'))} -->", intro]
    return "\n\n".join([*head, *_chapters(list(children(Config)))]) + "\n"


def _intro(text: str) -> str:
    """As markdown: pointed brackets kept from being tags, doubled braces single."""
    return text.replace("<", "&lt;").replace("{{", "{").replace("}}", "}")


def _chapters(tables: Sequence[Key]) -> Iterator[str]:
    """Each table with a heading; tables inside tables follow theirs."""
    columns = [" / ".join(both) for both in zip(*(_columns(language) for language in LANGUAGES), strict=True)]
    for table in tables:
        inside = list(children(table.model, table.path)) if table.model else []
        chapter = f"## {_header(table)}\n\n{speak(Said(table.text))}"
        rows = [_row(key) for key in inside if key.model is None]
        if rows:
            chapter += "\n\n" + "\n".join([_cells(columns), _cells(["---"] * len(columns)), *rows])
        yield chapter
        yield from _chapters([key for key in inside if key.model is not None])


def _columns(language: str) -> list[str]:
    return Catalogue.load().texts["config.page_columns"].of(language).split(" | ")


def _row(key: Key) -> str:
    default = _default(key)
    if default is PydanticUndefined:
        shown = speak(Said("config.page_required"))
    else:
        shown = "" if default is None else f"`{to_toml(default)}`"
    return _cells([f"`{key.name}`", key.kind, shown, speak(Said(key.text))])


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(key: Key) -> Any:
    return key.field.get_default(call_default_factory=True, validated_data={})


def _header(table: Key) -> str:
    name = ".".join(table.path)
    return f"[[{name}]]" if table.many else f"[{name}]"


# The example ----------------------------------------------------------------------------------------------------------
def example() -> str:
    """config.example.toml: what must be given stands open, every default behind `#`, samples behind `#    `."""
    lines = [f"# {Catalogue.load().texts['config.example_head'].of(language)}" for language in LANGUAGES]
    for key in children(Config):
        lines += ["", f"# {'-' * 100}", *_section(key)]
    return "\n".join(lines) + "\n"


def _section(table: Key, mark: str = "") -> Iterator[str]:
    """One table; `mark` stands before every line of a table that is off by default."""
    yield f"# {speak(Said(table.text))}"
    if table.path == ("texts",):
        sample = Catalogue.load().texts[SAMPLE_TEXT]
        yield "[texts]"
        yield f"#    {quote(SAMPLE_TEXT)} = {to_toml({'zh': sample.zh, 'en': sample.en})}"
    elif table.path == ("category",):
        yield from _categories(table)
    elif table.many:
        yield from _many(table)
    else:
        yield from _one(table, mark)


def _one(table: Key, mark: str) -> Iterator[str]:
    inside = list(children(table.model, table.path)) if table.model else []
    plain = [key for key in inside if key.model is None]
    if plain:
        yield f"{mark}{_header(table)}"
    for key in plain:
        yield f"# {speak(Said(key.text))}"
        yield _line(key, mark)
    for key in inside:
        if key.model is not None:
            yield ""
            yield from _section(key, "#" if _default(key) is None else mark)


def _line(key: Key, mark: str) -> str:
    """`#port = 8080`; what has no default shows a made-up value, the twin of a secret is a sample."""
    if key.twin:
        name = key.name.removesuffix("_file").replace("_", "-")
        return f"#    {key.name} = {quote(f'/run/secrets/{name}')}"
    default = _default(key)
    if default is PydanticUndefined:
        return f"{mark}{key.name} = {to_toml((key.field.examples or [''])[0])}"
    return f"#{key.name} = {to_toml(default)}"


def _many(table: Key) -> Iterator[str]:
    """A [[list]]: its keys explained, then its default tables; a sample where there are none."""
    inside = list(children(table.model, table.path)) if table.model else []
    yield from (f"#   {key.name}: {speak(Said(key.text))}" for key in inside)
    tables = _default(table)
    if not tables:
        yield f"#    {_header(table)}"
        yield from (f"#    {key.name} = {to_toml((key.field.examples or [''])[0])}" for key in inside)
    for one in tables:
        yield f"#{_header(table)}"
        given = one.model_dump(exclude_unset=True)
        yield from (f"#{name} = {to_toml(value)}" for name, value in given.items())


def _categories(table: Key) -> Iterator[str]:
    """A sample with terms of its own, then the starting set, each category behind `#`."""
    inside = list(children(table.model, table.path)) if table.model else []
    yield from (f"#   {key.name}: {speak(Said(key.text))}" for key in inside)
    own = {name: getattr(Deadlines(), name) for name in CategoryDeadlines.model_fields}
    yield f"#    {_header(table)}"
    yield f"#    code = {to_toml(starting_categories()[0].code)}"
    yield f"#    deadlines = {to_toml(own)}"
    for category in starting_categories():
        given = category.model_dump(exclude_unset=True)
        yield f"#{_header(table)}"
        yield from (f"#{name} = {to_toml(value)}" for name, value in given.items())
