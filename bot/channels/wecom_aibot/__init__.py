"""WeCom's smart bot as a channel: one long connection for each bot, held under a lease."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.channel import Abilities, Desk, Finding, Pace, Parcel, PlainChannel, Window
from bot.channels import Kit
from bot.channels.wecom_aibot import reading, sending, setup
from bot.channels.wecom_aibot.connection import Account, Line, Timing, WrongSecret
from bot.channels.wecom_aibot.intake import Intake
from bot.channels.wecom_aibot.reading import NAME
from bot.channels.wecom_aibot.replying import Handles
from domain.chat import Incoming

_log = logging.getLogger(__name__)

PACE = Pace(overall=20, chat_seconds=1.0, windows=(Window(20, 60.0), Window(900, 3600.0)))
"""WeCom allows 30 a minute and 1000 an hour in a chat (page 101463); bursts near that were refused."""
ABILITIES = Abilities(single_connection=True, answers_only=True, pace=PACE)


class WecomAibotChannel(PlainChannel):
    """One bot. With no `pace` it sends as fast as it can, which a real server does not bear."""

    name = NAME

    def __init__(self, account: Account, kit: Kit, *, pace: Pace | None = PACE, timing: Timing | None = None) -> None:
        self.abilities = replace(ABILITIES, pace=pace)
        self._account = account
        self._kit = kit
        self._timing = timing or Timing()
        self._line = Line(account, self._timing)
        self._handles = Handles()
        self._intake = Intake(account.bot_id, account.name, self._handles, kit.say)
        self._sender = sending.Sender(self._line, self._handles, account.bot_id, kit.say)

    @property
    def here(self) -> bool:
        """Whether this process is the one that is connected."""
        return self._line.connection is not None

    @property
    def listens(self) -> bool:
        """It is connected all the time."""
        return True

    def may_edit(self, platform_id: str | None) -> bool:
        """Whether that card was pressed a moment ago: no other can be changed."""
        return self._sender.may_edit(platform_id)

    async def run(self, desk: Desk) -> None:
        """Be connected while this process alone holds the lease; stop for good where the secret is wrong."""
        await desk.introduce(NAME, self._account.name, "")
        self._line.heard = lambda: desk.heard(NAME)
        try:
            await desk.alone(
                f"{NAME}:{self._account.bot_id}",
                lambda: self._line.hold(lambda callback: self._intake.receive(desk, callback)),
            )
        except WrongSecret as no:
            _log.error("wecom does not accept the bot's id or secret, nothing is sent or received: %s", no)
            await asyncio.Event().wait()

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """A callback as a message; ValueError where it cannot be read."""
        return reading.read(body, at)

    def parts(self, parcel: Parcel) -> Sequence[Parcel]:
        """A card, or pieces of markdown, then the files."""
        return sending.parts(parcel, self._kit.say)

    async def send(self, parcel: Parcel) -> str:
        """One frame and its answer; how the message is known."""
        return await self._sender.send(parcel)

    async def examine(self, groups: Mapping[str, str]) -> Sequence[Finding]:
        """Whether the bot is let in, and what to press."""
        return await setup.examine(self._account, groups, self._timing)

    async def close(self) -> None:
        """Let what came in be kept."""
        await self._intake.close()


def make(kit: Kit) -> WecomAibotChannel:
    """The bot of [channels.wecom_aibot]."""
    settings = kit.settings
    account = Account(settings.bot_id, settings.secret.get_secret_value(), settings.name, settings.url)
    return WecomAibotChannel(account, kit)
