"""What the operator hears before going live, and how files are fetched."""

import pytest

from bot.channel import Finding
from bot.channels import telegram
from bot.channels.telegram.transport import proxy_for
from domain.chat import Attachment, LostFile
from tests.bot.telegram.desks import GROUP, Line, NoteDesk, channel_at, line
from tests.emulators.telegram import TelegramEmulator
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


async def test_a_file_is_fetched_and_kept_as_it_is() -> None:
    async with line() as wire:
        desk = NoteDesk()
        await wire.server.says(wire.zhang, document=("电费单.pdf", b"%PDF electricity", "application/pdf"))
        (update,) = wire.server.unconfirmed
        got = await wire.channel.fetch(update["message"]["document"]["file_id"], desk)
        assert isinstance(got, Attachment)
        assert [content for content, _ in desk.files] == [b"%PDF electricity"]


@pytest.mark.parametrize(
    "description, key",
    [("Bad Request: file is too big", "file.too_large"), ("Bad Request: wrong file_id", "file.unreachable")],
)
async def test_a_file_that_telegram_does_not_hand_over_is_lost_with_its_cause(description: str, key: str) -> None:
    async with line() as wire:
        wire.server.fault("getFile", status=400, description=description)
        lost = await wire.channel.fetch("F", NoteDesk())
        assert isinstance(lost, LostFile)
        assert lost.cause.key == key


async def test_a_file_server_that_stays_down_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram, "FETCH_PAUSE", 0.0)
    async with line() as wire:
        wire.server.outage(502)
        lost = await wire.channel.fetch("F", NoteDesk())
        assert isinstance(lost, LostFile)
        assert lost.cause.key == "file.unreachable"
        assert [call.method for call in wire.server.calls].count("getFile") == telegram.FETCH_TRIES


def test_a_proxy_is_taken_from_the_environment_and_none_where_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.5")
    assert proxy_for("https://api.telegram.org") == "http://proxy.example:3128"
    assert proxy_for("https://10.0.0.5:8081") is None
    assert proxy_for("http://127.0.0.1:1") is None
