"""The command line: every verb with its arguments and options, as click knows them."""

from collections.abc import Iterator

import click

from bot.__main__ import main
from deploy.reference import tables


def table() -> str:
    """Each verb with what it does, its options below it."""
    rows = _rows(main, click.Context(main, info_name="lianqi"))
    return tables.table(("命令或选项 / verb or option", "说明 / meaning"), rows)


def _rows(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"**`{usage}`**", " ".join((command.help or "").split())
    for option in command.params:
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is not None:
            yield f"　`{record[0]}`", record[1]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inside = command.get_command(context, name)
            if inside is not None and not inside.hidden:
                yield from _rows(inside, click.Context(inside, info_name=name, parent=context))


def spellings() -> Iterator[str]:
    """Every verb and option as it is typed."""
    yield from _spellings(main)


def _spellings(command: click.Command) -> Iterator[str]:
    for option in command.params:
        yield from (spelling for spelling in option.opts if spelling.startswith("-"))
    if isinstance(command, click.Group):
        for name, inside in command.commands.items():
            yield name
            yield from _spellings(inside)
