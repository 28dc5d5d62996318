"""One bot's platform in a box: start it, let people talk, look at what the bot did."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Self

from .core import Call, Core, Sent
from .errors import Refused
from .faults import WORDS, Answer, Fault
from .limits import Limits
from .server import Server
from .talking import Talking
from .world import World


class TelegramEmulator(Talking):
    """Stands for api.telegram.org for one bot.

    `clock` gives machine time in seconds to flood control and presses, `wall` seconds since the epoch to dates.
    """

    def __init__(
        self,
        token: str = "123456:TEST-token",
        username: str = "lianqi_bot",
        *,
        privacy: bool = False,
        limits: Limits | None = None,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] | None = None,
    ) -> None:
        self.core = Core(token, username, privacy=privacy, clock=clock)
        self.core.flood.limits = limits
        self.core.wall = wall or self.core.wall
        self.server = Server(self.core)

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        await self.server.start(port)

    async def stop(self) -> None:
        """Close everything; waiting polls and deliveries end."""
        await self.server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.stop()

    @property
    def api_base(self) -> str:
        """The address in place of https://api.telegram.org, without a slash at the end."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.core.token

    # ------------------------------------------------------------ what the bot did

    @property
    def world(self) -> World:
        """People, chats, files."""
        return self.core.world

    @property
    def sent(self) -> list[Sent]:
        """Each send and edit that took effect, in order, whether the bot got its answer or not."""
        return self.core.sent

    @property
    def calls(self) -> list[Call]:
        """Every call, also the refused ones."""
        return self.core.calls

    @property
    def offences(self) -> list[str]:
        """Calls that do not fit the schema; a test asserts there are none."""
        return self.core.offences

    @property
    def refusals(self) -> int:
        """How many calls were answered 429."""
        return self.core.refusals

    @property
    def answered(self) -> dict[str, str | None]:
        """Answered presses by query id, with the text shown."""
        return self.core.answered

    @property
    def commands(self) -> dict[str, list[dict[str, Any]]]:
        """Command menus by scope, e.g. default, all_group_chats/zh, chat_member:-100:5."""
        return self.core.commands

    @property
    def reactions(self) -> dict[tuple[int, int], list[str]]:
        """The bot's reactions by (chat id, message id)."""
        return self.core.reactions

    @property
    def unconfirmed(self) -> list[dict[str, Any]]:
        """Updates that wait to be confirmed, earliest first."""
        return [update.body for update in self.core.updates.waiting.values()]

    async def confirmed(self, timeout: float = 10.0) -> None:
        """Wait until every queued update is confirmed, at most `timeout` seconds (TimeoutError)."""
        await asyncio.wait_for(self.core.updates.until_quiet(), timeout)

    async def until_sent(self, count: int, timeout: float = 10.0) -> list[Sent]:
        """Wait until `count` sends and edits took effect since the start; all of them so far."""
        if len(self.sent) < count:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.core.arrivals.append((count, future))
            await asyncio.wait_for(future, timeout)
        return self.sent

    # ------------------------------------------------------------ misbehaviour

    def fault(
        self,
        method: str | None = None,
        *,
        chat: int | None = None,
        times: int = 1,
        status: int | None = None,
        description: str = "",
        retry_after: int | None = None,
        migrate_to: int | None = None,
        effect: bool = False,
        answer: Answer = "normal",
        delay: float = 0.0,
    ) -> Fault:
        """Let the next calls that fit go wrong (see Fault); method "download" means file downloads."""
        fault = Fault(method, chat, times, status, description, retry_after, migrate_to, effect, answer, delay)
        self.core.faults.waiting.append(fault)
        return fault

    def outage(self, status: int | None = 502) -> None:
        """Everything fails until recover(): with a status, or (None) with closed connections."""
        self.core.faults.outage(status)
        self.core.updates.interrupt(Refused(status or 502, WORDS.get(status or 502, "Error")))
        self.core.webhook.paused = True

    def recover(self) -> None:
        """The outage is over."""
        self.core.faults.recover()
        self.core.webhook.paused = False
        self.core.webhook.pump()

    def duplicate_updates(self, count: int | None = None) -> None:
        """The next `count` updates come twice; None means all from now on, 0 ends it."""
        self.core.updates.duplicates = count

    def shuffle_updates(self, seed: int | None = 0) -> None:
        """Batches come in a wrong order; None ends it."""
        self.core.updates.shuffling = None if seed is None else random.Random(seed)

    def jump_ids(self, to: int) -> None:
        """The next update gets this id."""
        self.core.updates.jump(to)

    def push_raw(self, update: dict[str, Any]) -> int:
        """Queue an update as it is, however wrong; an id is added if it has none. Its id."""
        return self.core.updates.push(update)

    @property
    def unknown_fields(self) -> bool:
        """Whether updates carry fields of a later version."""
        return self.core.unknown_fields

    @unknown_fields.setter
    def unknown_fields(self, on: bool) -> None:
        self.core.unknown_fields = on

    def expire_files(self) -> None:
        """Links to files that getFile gave so far lead nowhere."""
        self.core.world.paths.clear()
