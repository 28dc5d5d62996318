"""What `lianqi check` says of the smart bot."""

from typing import Any

from bot.channel import Finding
from tests.bot.wecom_aibot.desks import GROUP, channel_at
from tests.emulators.wecom.aibot import AibotEmulator

GROUPS = {GROUP: "大树营联企群"}


async def found(server: AibotEmulator, groups: dict[str, str] | None = None, **more: Any) -> list[tuple[str, bool]]:
    """Keys of the findings, and whether each must be mended."""
    channel = channel_at(server, **more)
    findings: list[Finding] = list(await channel.examine(GROUPS if groups is None else groups))
    await channel.close()
    return [(finding.said.key, finding.must) for finding in findings]


async def test_a_bot_that_is_let_in_is_told_and_left_again() -> None:
    async with AibotEmulator() as server:
        assert await found(server) == [("check.aibot_bot", False)]
        await server.until(lambda: not server.connected)
        assert server.offences == []


async def test_what_is_still_to_do_is_told() -> None:
    async with AibotEmulator() as server:
        keys = [key for key, _ in await found(server, {}, name="")]
    assert keys == ["check.aibot_bot", "check.aibot_no_name", "check.aibot_no_group"]


async def test_a_wrong_secret_and_a_server_out_of_reach_must_be_mended() -> None:
    async with AibotEmulator() as server:
        assert await found(server, secret="wrong") == [("check.aibot_secret", True)]
        server.refuse_connects()
        assert await found(server) == [("check.aibot_network", True)]
    assert await found(server) == [("check.aibot_network", True)]
