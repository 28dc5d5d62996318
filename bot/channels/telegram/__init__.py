"""Telegram as a channel: polled or called, with its own transport and pace."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from starlette.routing import BaseRoute
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.channel import Abilities, Desk, Finding, Pace, Parcel, PlainChannel, Window
from bot.channels import Kit, files
from bot.channels.telegram import reading, sending, setup
from bot.channels.telegram.api import Api
from bot.channels.telegram.intake import Intake, endpoint, pause_after
from bot.channels.telegram.reading import NAME
from bot.channels.telegram.refusals import wait_of
from domain.chat import Attachment, Incoming, LostFile
from domain.said import Said

_log = logging.getLogger(__name__)

PACE = Pace(overall=30, chat_seconds=1.0, windows=(Window(20, 60.0, groups_only=True),))
"""Telegram's own answers to bot makers: about 30 messages a second, one a second in a chat, 20 a minute in a group."""
ABILITIES = Abilities(menus=True, pace=PACE)
FETCH_TRIES = 3
FETCH_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """A bot as BotFather and the operator have set it up; `webhook_url` and its secret are "" where it polls."""

    token: str
    api_base: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str = ""
    webhook_secret: str = ""

    @property
    def id(self) -> str:
        """The bot's user id, which is no secret: the token up to its colon."""
        return self.token.partition(":")[0]


class TelegramChannel(PlainChannel):
    """One bot. With no `pace` it sends as fast as it can, which a real server does not bear."""

    name = NAME

    def __init__(self, account: Account, kit: Kit, *, pace: Pace | None = PACE) -> None:
        self.abilities = replace(ABILITIES, pace=pace)
        self._account = account
        self._kit = kit
        self._api = Api(account.token, account.api_base)
        self._intake = Intake(self._api, account.id)
        self._sender = sending.Sender(self._api)

    @property
    def listens(self) -> bool:
        """Where it polls."""
        return self._account.mode == "polling"

    async def run(self, desk: Desk) -> None:
        """Receive until cancelled. Many may be called; one alone, the holder of the lease, may poll."""
        if self._account.mode == "webhook":
            await _until_it_works(lambda: self._be_called(desk))
            await asyncio.Event().wait()
        await desk.alone(f"{NAME}:{self._account.id}", lambda: self._poll(desk))

    async def _poll(self, desk: Desk) -> None:
        await _until_it_works(lambda: self._ask_for_updates(desk))
        await self._intake.poll(desk)

    async def _ask_for_updates(self, desk: Desk) -> None:
        await self._get_ready(desk)
        await self._api.bot.delete_webhook(drop_pending_updates=False)

    async def _be_called(self, desk: Desk) -> None:
        await self._get_ready(desk)
        await self._api.bot.set_webhook(
            self._account.webhook_url,
            secret_token=self._account.webhook_secret,
            allowed_updates=list(reading.ALLOWED),
            drop_pending_updates=False,
        )

    async def _get_ready(self, desk: Desk) -> None:
        """Learn the bot's name, make it known, and tell Telegram the commands."""
        me = await self._api.bot.get_me()
        self._intake.hears_all = bool(me.can_read_all_group_messages)
        self._intake.bot = me.username or ""
        await desk.introduce(NAME, me.first_name, f"https://t.me/{me.username}")
        await setup.set_menus(self._api, self._kit.strangers, self._kit.groups)

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        """The webhook's endpoint."""
        if self._account.mode != "webhook":
            return ()
        return (endpoint(self._intake, desk, self._account.webhook_url, self._account.webhook_secret),)

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """A raw update as a message; ValueError where it cannot be read."""
        return reading.read(body, at)

    async def fetch(self, remote: str, desk: Desk) -> Attachment | LostFile:
        """Download a file and keep it; a few tries, as Telegram's file servers stumble now and then."""
        wait = 0.0
        for failures in range(1, FETCH_TRIES + 1):
            await asyncio.sleep(wait)
            try:
                file = await self._api.bot.get_file(remote)
                content = await file.download_as_bytearray()
            except BadRequest as error:
                return LostFile("", _why_lost(error))
            except TelegramError as error:
                _log.warning("a file could not be fetched: %s", error)
                wait = wait_of(error) if isinstance(error, RetryAfter) else FETCH_PAUSE * failures
            else:
                return await files.take(desk, bytes(content), remote)
        return LostFile("", Said("file.unreachable"))

    def parts(self, parcel: Parcel) -> Sequence[Parcel]:
        """Pieces of a long text, then the files."""
        return sending.parts(parcel, self._kit.say)

    async def send(self, parcel: Parcel) -> str:
        """One call; the id of the message."""
        return await self._sender.send(parcel)

    async def examine(self, groups: Mapping[str, str]) -> Sequence[Finding]:
        """What will not arrive, and what to press."""
        return await setup.examine(self._api, groups, self._account.webhook_url)

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()


def make(kit: Kit) -> TelegramChannel:
    """The bot of [channels.telegram]."""
    settings = kit.settings
    account = Account(
        settings.token.get_secret_value(),
        settings.api_base,
        settings.mode,
        settings.webhook_url,
        settings.webhook_secret.get_secret_value(),
    )
    return TelegramChannel(account, kit)


async def _until_it_works(work: Callable[[], Awaitable[None]]) -> None:
    """Do it again after every trouble, waiting longer each time."""
    failures = 0
    while True:
        try:
            await work()
        except TelegramError as error:
            await pause_after(error, failures)
            failures += 1
        else:
            return


def _why_lost(error: BadRequest) -> Said:
    if "too big" in str(error).lower():
        return files.too_large()
    return Said("file.unreachable")
