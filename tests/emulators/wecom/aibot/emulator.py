"""One smart bot's platform in a box: start it, let people talk, look at what the bot did."""

from collections import Counter
from collections.abc import Callable
from typing import Self

from .core import Core, Sent, wall_time
from .faults import Answer, Fault, Faults
from .limits import Limits
from .server import Connection, Server
from .talking import Talking
from .world import Visible, World


class AibotEmulator(Talking):
    """Stands for wss://openws.work.weixin.qq.com for one bot. `clock`: seconds since the epoch, for every window."""

    def __init__(
        self,
        bot_id: str = "aib-TEST",
        secret: str = "a-secret-of-the-bot",
        name: str = "小联",
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.core = Core(bot_id, secret, name, limits or Limits(), clock or wall_time)
        self.server = Server(self.core)

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        await self.server.start(port)

    async def stop(self) -> None:
        """Close everything."""
        await self.server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The address in place of wss://openws.work.weixin.qq.com."""
        return f"ws://127.0.0.1:{self.server.port}"

    @property
    def bot_id(self) -> str:
        """The bot's id."""
        return self.core.bot_id

    @property
    def secret(self) -> str:
        """The secret that is valid now."""
        return self.core.secret

    @property
    def name(self) -> str:
        """How people call the bot: "@小联 …"."""
        return self.core.name

    # ------------------------------------------------------------ what the bot did

    @property
    def world(self) -> World:
        """People, groups, and what stands in their chats."""
        return self.core.world

    @property
    def visible(self) -> list[Visible]:
        """All messages of the bot that anybody sees, in order, whether the bot got its answer or not."""
        return self.core.world.visible

    def seen(self, chat: str) -> list[Visible]:
        """Those of one chat (chatid or userid)."""
        return self.core.world.in_chat(chat)

    @property
    def sent(self) -> list[Sent]:
        """Every frame of the client, with its answer."""
        return self.core.sent

    @property
    def offences(self) -> list[str]:
        """What no sound client does; a test asserts there is none."""
        return self.core.offences

    @property
    def advice(self) -> list[str]:
        """Parts of cards that are longer than advised, so that people see them cut off."""
        return self.core.advice

    @property
    def refusals(self) -> Counter[int]:
        """How often each errcode but 0 was answered."""
        return self.core.refusals

    @property
    def heard(self) -> list[str]:
        """The msgids of callbacks that were sent, doubles included; `lost`: of those that nobody was there for."""
        return self.core.heard

    @property
    def lost(self) -> list[str]:
        """The msgids of callbacks that were sent to nobody."""
        return self.core.lost

    @property
    def connections(self) -> list[Connection]:
        """Every connection there was."""
        return self.server.connections

    @property
    def connected(self) -> bool:
        """Whether a connection is there that is subscribed, and not forgotten."""
        bot = self.server.bot
        return bot is not None and bot.subscribed and not bot.forgotten

    def passed(self, chat: str, seconds: float) -> int:
        """How many messages were let through to a chat in the last seconds."""
        return self.core.windows.within(f"chat:{chat}", seconds, self.core.now())

    # ------------------------------------------------------------ waiting

    async def until(self, true: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until something is true, looked at whenever something happens here (TimeoutError)."""
        await self.core.until(true, timeout)

    async def until_connected(self, timeout: float = 10.0) -> None:
        """Wait until the bot is subscribed."""
        await self.until(lambda: self.connected, timeout)

    async def until_visible(self, count: int, timeout: float = 10.0) -> list[Visible]:
        """Wait until so many messages were seen since the start; all of them so far."""
        await self.until(lambda: len(self.visible) >= count, timeout)
        return self.visible

    # ------------------------------------------------------------ misbehaviour

    @property
    def faults(self) -> Faults:
        """What is wrong, and what waits to go wrong."""
        return self.core.faults

    def fault(
        self,
        cmd: str | None = None,
        *,
        chat: str | None = None,
        times: int = 1,
        code: int | None = None,
        effect: bool = False,
        answer: Answer = "normal",
        delay: float = 0.0,
    ) -> Fault:
        """Let the next frames that fit go wrong (see Fault)."""
        fault = Fault(cmd, chat, times, code, effect, answer, delay)
        self.faults.waiting.append(fault)
        return fault

    def lose_acks(self, times: int = 1, cmd: str | None = None) -> Fault:
        """The next frames do what they say, and nobody hears of it."""
        return self.fault(cmd, times=times, effect=True, answer="none")

    def drop(self) -> None:
        """Cut the bot's line: the other side sees 1006."""
        if self.server.bot is not None:
            bot, self.server.bot = self.server.bot, None
            bot.abort()

    async def close(self, code: int = 1000) -> None:
        """Close the bot's connection in order."""
        if self.server.bot is not None:
            bot, self.server.bot = self.server.bot, None
            await bot.close(code)

    def silence(self) -> None:
        """The bot's connection stays open, and nothing comes of it any more: no ack, no pong, no callback."""
        if self.server.bot is not None:
            self.server.silence(self.server.bot)

    def forget(self) -> None:
        """The bot's connection stays open, and every frame on it gets 846609."""
        if self.server.bot is not None:
            self.server.bot.forgotten = True

    async def kick(self) -> None:
        """Somebody else subscribes as this bot: disconnected_event, then the connection is closed."""
        if self.server.bot is not None:
            bot, self.server.bot = self.server.bot, None
            await self.server.kick(bot)

    async def garbage(self, raw: str = '{"cmd": "aibot_msg_cal') -> None:
        """Something comes that is no frame, or none that anybody knows."""
        if self.server.bot is not None:
            await self.server.bot.say(raw)

    def refuse_connects(self, times: int | None = None, status: int | None = 503) -> None:
        """Attempts to connect fail: so many, or (None) all; with an HTTP status, or (None) a socket that closes."""
        self.faults.refuse, self.faults.refuse_status = times, status

    def duplicate(self, times: int | None = 1) -> None:
        """The next callbacks come twice under one msgid; None means all from now on, 0 ends it."""
        self.faults.duplicates = times

    def revoke(self, secret: str = "another-secret-of-the-bot") -> None:
        """The secret is another from now on; the connection that there is lives on."""
        self.core.secret = secret

    async def sweep(self) -> None:
        """Close the bot's connection if nothing came on it for as long as the platform waits."""
        bot = self.server.bot
        if bot is not None and self.core.now() - bot.heard_at > self.core.limits.silence:
            await self.close(1000)

    async def recover(self) -> None:
        """All is well again; connections that are silent or forgotten stay so. Callbacks that were held come now."""
        self.faults.end()
        await self.server.release()
