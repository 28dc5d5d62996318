"""What the operator hears before going live, and which commands Telegram lists."""

import pytest

from bot.channel import Finding
from bot.channels import Kit
from bot.channels.telegram import Account, TelegramChannel
from bot.channels.telegram.setup import set_menus
from bot.channels.telegram.transport import proxy_for
from tests.bot.telegram.desks import GROUP, Line, channel_at, line, words
from tests.emulators.telegram import TelegramEmulator
from tests.emulators.telegram.core import Core, Request
from tests.emulators.telegram.methods import TABLE
from tests.errors import ExpectedErrors


async def found(wire: Line, **groups: int) -> list[tuple[str, bool]]:
    """The keys of what was found, and whether it must be mended."""
    told = await wire.channel.examine({str(chat): name for name, chat in groups.items()})
    return [_brief(each) for each in told]


def _brief(finding: Finding) -> tuple[str, bool]:
    return finding.said.key, finding.must


BOT = ("check.telegram_bot", False)


async def test_a_bot_that_is_administrator_everywhere_needs_nothing() -> None:
    async with line() as wire:
        assert await found(wire, 大树营=GROUP) == [BOT]


async def test_groups_in_which_it_hears_little_or_is_not_are_named() -> None:
    async with line(TelegramEmulator(privacy=True)) as wire:
        plain = wire.server.group(-1, "普通群", bot="member")
        away = wire.server.group(-2, "没进的群", bot="left")
        groups = {str(GROUP): "大树营", str(plain.id): "普通群", str(away.id): "没进", "-9": "无"}
        told = await wire.channel.examine(groups)
        assert [(each.said.key, each.said.facts.get("group")) for each in told[1:]] == [
            ("check.telegram_hears_little", "普通群"),
            ("check.telegram_not_in", "没进"),
            ("check.telegram_not_in", "无"),
        ]


async def test_without_privacy_mode_a_plain_member_hears_all() -> None:
    async with line() as wire:
        plain = wire.server.group(-1, "普通群", bot="member")
        assert await found(wire, 普通群=plain.id) == [BOT]


async def test_a_webhook_that_is_set_is_told() -> None:
    async with line() as wire:
        await wire.channel._api.bot.set_webhook("http://127.0.0.1:9/elsewhere")
        assert await found(wire) == [BOT, ("check.telegram_webhook_set", False)]


async def test_a_wrong_token_and_a_server_out_of_reach_must_be_mended(expected_errors: ExpectedErrors) -> None:
    async with line() as wire:
        wrong = channel_at(wire.server, "1:wrong")
        assert [_brief(each) for each in await wrong.examine({})] == [("check.telegram_token", True)]
        await wrong.close()
        wire.server.outage(502)
        assert await found(wire) == [("check.telegram_network", True)]


def claims(monkeypatch: pytest.MonkeyPatch, **facts: object) -> None:
    """Let the bot say so of itself."""
    plain = TABLE["getMe"]

    def get_me(core: Core, request: Request) -> object:
        return {**plain(core, request), **facts}

    monkeypatch.setitem(TABLE, "getMe", get_me)


async def test_the_bot_and_where_to_find_it_are_told() -> None:
    async with line() as wire:
        (told,) = await wire.channel.examine({})
        assert told.said.facts == {"name": "@lianqi_bot", "link": "https://t.me/lianqi_bot"}


async def test_a_bot_that_may_join_no_group_must_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    claims(monkeypatch, can_join_groups=False)
    async with line() as wire:
        assert await found(wire) == [BOT, ("check.telegram_no_groups", True)]


async def test_a_group_that_has_moved_is_looked_up_where_it_is_now() -> None:
    async with line() as wire:
        old = wire.server.group(-77, "旧群", kind="group", bot="administrator")
        gone = wire.server.group(-78, "散了的群", kind="group", bot="administrator")
        for group in (old, gone):
            await wire.server.migrates(group)
        await wire.server.removes_bot(wire.zhang, wire.server.chat(gone.migrated_to or 0))
        assert await found(wire, 旧群=-77, 散了的群=-78) == [BOT, ("check.telegram_not_in", True)]


async def test_a_group_that_cannot_be_looked_at_is_no_group_without_the_bot() -> None:
    async with line() as wire:
        wire.server.fault("getChatMember", status=502)
        assert await found(wire, 大树营=GROUP) == [BOT, ("check.telegram_network", True)]


WANTED = "https://lianqi.example.cn/channels/telegram/x7k2"


async def about_webhook(wire: Line) -> list[tuple[str, bool]]:
    """What a bot that is called hears."""
    account = Account(wire.server.token, wire.server.api_base, "webhook", WANTED, "secret")
    channel = TelegramChannel(account, Kit(None, words), pace=None)
    told = await channel.examine({})
    await channel.close()
    return [_brief(each) for each in told[1:]]


async def test_a_webhook_that_is_not_set_yet_is_no_trouble_and_one_elsewhere_is_told() -> None:
    async with line() as wire:
        assert await about_webhook(wire) == []
        await wire.channel._api.bot.set_webhook(WANTED)
        assert await about_webhook(wire) == []
        await wire.channel._api.bot.set_webhook("http://127.0.0.1:9/elsewhere")
        assert await about_webhook(wire) == [("check.telegram_webhook_elsewhere", False)]


async def test_a_webhook_that_telegram_cannot_reach_must_be_mended() -> None:
    async with line() as wire:
        await wire.channel._api.bot.set_webhook(WANTED)
        wire.server.core.webhook.last_error = (1.0, "Wrong response from the webhook: 503")
        assert await about_webhook(wire) == [("check.telegram_webhook_fails", True)]


# Commands -------------------------------------------------------------------------------------------------------------
async def test_commands_are_listed_by_place_and_language() -> None:
    async with line() as wire:
        await set_menus(
            wire.channel._api, {"": [("绑定", "bind")], "en": [("Bind", "bind")]}, {"": [("诉求", "appeal")]}
        )
        bind, bound = {"command": "bind", "description": "绑定"}, {"command": "bind", "description": "Bind"}
        assert wire.server.commands == {
            "default": [bind],
            "default/en": [bound],
            "all_private_chats": [bind],
            "all_private_chats/en": [bound],
            "all_group_chats": [{"command": "appeal", "description": "诉求"}],
        }


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 400}, {"answer": "none"}])
async def test_a_bot_whose_commands_cannot_be_listed_works_all_the_same(
    fault: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    async with line() as wire:
        wire.server.fault("setMyCommands", **fault)  # type: ignore[arg-type]  # spelled out above
        await set_menus(wire.channel._api, {"": [("绑定", "bind")]}, {})
    assert "the lists of commands could not be set" in caplog.text


def test_a_proxy_is_taken_from_the_environment_and_none_where_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.5")
    assert proxy_for("https://api.telegram.org") == "http://proxy.example:3128"
    assert proxy_for("https://10.0.0.5:8081") is None
    assert proxy_for("http://127.0.0.1:1") is None
