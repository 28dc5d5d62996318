"""The roster workbook: its sheets with their columns, and the words that its cells may hold."""

from collections.abc import Mapping
from typing import TypeVar

from deploy.reference.tables import both, data, en, table, zh
from domain.people import Purpose, Role
from domain.roster import CHANNELS, COLUMNS, SHEET_WORDS
from domain.roster_cells import PURPOSE_WORDS, ROLE_WORDS

T = TypeVar("T")


def sheets() -> str:
    """One table a sheet."""
    notes = data("roster")
    parts = []
    for sheet, columns in COLUMNS.items():
        rows = [
            (
                f"**{column.zh}**{' ＊' if column.required else ''}",
                f"`{column.name}`",
                "、".join(column.also),
                both(notes[sheet][column.name]),
            )
            for column in columns
        ]
        headers = ("列名", "header", "也可写 / also", "内容和检查 / what it holds and what is checked")
        parts.append(f"## {SHEET_WORDS[sheet]} `{sheet}`\n\n{table(headers, rows)}")
    return "\n\n".join(parts)


def words() -> str:
    """The words for roles, purposes of groups, and channels."""
    roles = [("角色 / role", f"{zh(f'role.{one}')} `{one}`", en(f"role.{one}"), _also(ROLE_WORDS, one)) for one in Role]
    purposes = [
        ("用途 / purpose", f"{zh(f'purpose.{one}')} `{one}`", en(f"purpose.{one}"), _also(PURPOSE_WORDS, one))
        for one in Purpose
    ]
    channels = [("渠道 / channel", f"`{one}`", "", _also(CHANNELS, one)) for one in dict.fromkeys(CHANNELS.values())]
    return table(("列 / column", "写 / write", "", "也可写 / also"), [*roles, *purposes, *channels])


def _also(spellings: Mapping[str, T], meant: T) -> str:
    """Every spelling in Chinese, as the English ones are the codes themselves."""
    return "、".join(word for word, value in spellings.items() if value == meant and not word.isascii())
