"""The end of `lianqi check`: whom nothing reaches, why, and the steps that are left, in plain words."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from bot.channel import Finding
from bot.reachability import MOST_NAMES, findings, steps
from domain.people import Purpose, Role
from domain.said import Said
from storage import accounts
from storage.database import Tx
from storage.open import open_database
from storage.reaching import Unreached
from tests.making import civil, make_group, make_person
from texts import Catalogue, render

CATALOGUE = Catalogue.load(strict=True)
AT = civil("2026-03-11 09:00")
LOST = [
    Unreached("张总"),
    Unreached("王敏", ("wecom_aibot", "wecom_app"), "协调群"),
    Unreached("李芳", ("telegram",)),
    Unreached("赵亮", ("wecom_aibot",)),
    Unreached("孙工"),
]


def words(said: Said | None) -> list[str]:
    assert said is not None
    return render(CATALOGUE, said, "zh", AT.tzinfo).split("\n")  # type: ignore[arg-type]  # UTC is a zone as well


def test_each_is_told_with_the_reason() -> None:
    assert [words(finding.said) for finding in findings(LOST)] == [
        ["消息发不到张总：还没有绑定任何会话"],
        ["消息发不到王敏：不在企业微信应用的可见范围里；现在只能在“协调群”里喊他"],
        ["消息发不到李芳：还没有点开 Telegram 机器人，或把它停用了"],
        ["消息发不到赵亮：在企业微信里还没有跟机器人说过话"],
        ["消息发不到孙工：还没有绑定任何会话"],
    ]
    assert not any(finding.must for finding in findings(LOST))


def test_the_steps_that_are_left_come_last_and_name_everybody_once() -> None:
    must = Finding(Said("check.no_coordinator"), must=True)
    assert words(steps([must, Finding(Said("check.no_inspector"))], LOST)) == [
        "还剩5步：",
        "1. 先解决上面打✗的1项，再运行一次 lianqi check",
        "2. 在企业微信管理后台“应用管理”里打开联企的应用，把王敏加进“可见范围”",
        "3. 请赵亮在企业微信里打开机器人，发一句“帮助”",
        "4. 请李芳点开 Telegram 机器人，按“开始”",
        "5. 给张总、孙工发邀请码：运行 lianqi invite 加姓名，把打印的桌牌交给本人",
    ]


def test_who_is_reached_once_the_app_has_started_waits_for_that_alone() -> None:
    waiting = [Unreached("王敏", ("wecom_aibot", "wecom_app"), at_start=True)]
    assert words(findings(waiting)[0].said) == ["消息发不到王敏：企业微信应用还没有启动过，启动后自动接通"]
    assert words(steps([], waiting))[1].startswith("1. 启动 lianqi run，企业微信应用就能发给王敏")


def test_many_names_are_counted() -> None:
    many = [Unreached(f"人{number}") for number in range(MOST_NAMES + 5)]
    assert words(steps([], many))[1].startswith("1. 给人0、人1、")
    assert f"等{MOST_NAMES + 5}人" in words(steps([], many))[1]


def test_where_all_is_done_no_step_is_left() -> None:
    assert steps([Finding(Said("check.no_inspector"))], []) is None


def test_check_ends_with_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text('[park]\nname = "试点园区"\n', encoding="utf-8")
    CliRunner().invoke(main, ("migrate",))

    async def populate() -> None:
        database = await open_database("sqlite:///data/lianqi.db")

        async def unit(tx: Tx) -> None:
            await make_person(tx, "周主任", Role.COORDINATOR)
            await make_person(tx, "张总", Role.CONTACT, chat=False)
            who = await make_person(tx, "王敏", Role.LIAISON, chat=False)
            await accounts.bind_externally(tx, "wecom_app", "wang", who, by=None, at=AT)
            await make_group(tx, Purpose.COORDINATION)

        await database.transaction(unit)
        await database.close()

    asyncio.run(populate())
    told = CliRunner().invoke(main, ("check",))
    lines = told.output.strip().split("\n")
    assert (told.exit_code, lines[-1]) == (0, "检查完毕，可以运行。")
    assert lines[-3:-1] == ["还剩1步：", "1. 给张总、王敏发邀请码：运行 lianqi invite 加姓名，把打印的桌牌交给本人"]
    assert "· 消息发不到张总：还没有绑定任何会话" in lines
