"""What `lianqi check` says of the smart bot."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from bot import errands
from bot.channel import Finding
from storage import leases
from storage.open import open_database
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


async def checked(folder: Path, server: AibotEmulator) -> list[str]:
    """What `lianqi check` says."""
    (folder / "config.toml").write_text(
        f"""[park]
name = "试点园区"
[storage]
url = "sqlite:///{folder}/house.db"
[channels.wecom_aibot]
bot_id = "{server.bot_id}"
secret = "{server.secret}"
name = "小联"
url = "{server.url}"
""",
        encoding="utf-8",
    )
    (folder / "config.toml").chmod(0o600)
    said: list[str] = []
    with suppress(errands.Failed):
        await errands.check(folder / "config.toml", said.append)
    return said


async def test_check_connects_while_nobody_else_does_and_leaves_a_running_bot_alone(tmp_path: Path) -> None:
    async with AibotEmulator() as server:
        said = await checked(tmp_path, server)
        assert any("“小联”连得上" in line for line in said)
        assert len(server.connections) == 1
        database = await open_database(f"sqlite:///{tmp_path}/house.db")
        await database.transaction(lambda tx: leases.take(tx, f"wecom_aibot:{server.bot_id}", "another", 60))
        await database.close()
        said = await checked(tmp_path, server)
        assert any("正在运行并连着 wecom_aibot" in line for line in said)
        assert len(server.connections) == 1


async def test_check_names_the_groups_in_which_nobody_has_called_the_bot(tmp_path: Path) -> None:
    async with AibotEmulator() as server:
        await checked(tmp_path, server)
        database = await open_database(f"sqlite:///{tmp_path}/house.db")
        for chat, name, heard in (("wr1", "一区联企群", None), ("wr2", "二区联企群", 1)):
            row = {"chat": chat, "name": name, "heard": heard}
            await database.transaction(
                lambda tx, row=row: tx.run(  # type: ignore[misc]  # mypy cannot type a lambda with a default
                    """INSERT INTO chats(channel, external_id, private, name, approved_at, heard_at)
                       VALUES ('wecom_aibot', :chat, 0, :name, 0, :heard)""",
                    row,
                )
            )
        await database.close()
        said = "\n".join(await checked(tmp_path, server))
    assert "“一区联企群”里还没有人 @ 过机器人" in said
    assert "二区联企群" not in said
