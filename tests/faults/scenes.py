"""Where the trials of troubles take place: each real channel at its platform, with a scripted line between the two."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from bot.channel import Channel
from bot.channels import Kit
from bot.channels.telegram import Account as Bot
from bot.channels.telegram import TelegramChannel
from bot.channels.wecom_aibot import WecomAibotChannel
from bot.channels.wecom_aibot.connection import Account as Aibot
from bot.channels.wecom_app import App, WecomApp
from bot.channels.wecom_group import WecomGroup
from tests.bot.wecom_aibot.desks import words
from tests.emulators.faulty import FaultyLine, faulty_line
from tests.emulators.pushed import seconds
from tests.emulators.telegram import Limits, TelegramEmulator
from tests.emulators.wecom.aibot import AibotEmulator
from tests.emulators.wecom.api import WecomApiEmulator

WORD = re.compile(r"c\d[A-Z]+\d+")
"""What tells the messages of a trial apart, wherever it stands: the chat, the lane, a number."""
SICK = "c0"
"""The chat that has the trouble, where one has it."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat by the platform's id; `needle` stands in every call that speaks to it."""

    id: str
    private: bool
    needle: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the platform shows somebody, `at` seconds."""

    chat: str
    word: str
    at: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A channel, its line, its chats by name. `send`: the path of calls that bring messages.

    `offences` are the rules of the platform that were broken; `revoke` ends the access token before its time;
    `telegram` is the platform at which people speak to the bot, as it keeps what it could not bring.
    """

    channel: Channel
    line: FaultyLine
    chats: Mapping[str, Chat]
    send: str
    arrivals: Callable[[], Sequence[Arrival]]
    offences: Callable[[], Sequence[str]]
    revoke: Callable[[int], None] = lambda _: None
    telegram: TelegramEmulator | None = None


def found_in(chat: str, text: str, at: float) -> Arrival:
    """A message by its word."""
    word = WORD.search(text)
    assert word is not None, text
    return Arrival(chat, word[0], at)


def most_within(times: Sequence[float], span: float) -> int:
    """The fullest window of so many seconds."""
    return max((sum(begin <= at < begin + span for at in times) for begin in times), default=0)


@asynccontextmanager
async def telegram() -> AsyncIterator[Scene]:
    """Three people and two groups."""
    emulator = TelegramEmulator(limits=Limits(), clock=seconds)
    async with emulator, faulty_line(("127.0.0.1", emulator.server.port)) as line:
        ids = {f"c{number}": 5001 + number for number in range(3)} | {"c3": -1_001_000_001, "c4": -1_001_000_002}
        for name, chat in ids.items():
            if chat > 0:
                emulator.user(chat, name, started=True)
            else:
                emulator.group(chat, name, bot="administrator")
        names = {chat: name for name, chat in ids.items()}

        def arrivals() -> Sequence[Arrival]:
            return [found_in(names[sent.chat_id], sent.text, sent.at) for sent in emulator.sent]

        def offences() -> Sequence[str]:
            return [*emulator.offences, *too_fast(arrivals(), emulator.refusals)]

        channel = TelegramChannel(Bot(emulator.token, f"http://127.0.0.1:{line.port}"), Kit(None, words))
        chats = {name: Chat(str(chat), chat > 0, f'"chat_id": {chat},') for name, chat in ids.items()}
        yield Scene(channel, line, chats, "sendMessage", arrivals, offences, telegram=emulator)


def too_fast(arrivals: Sequence[Arrival], refusals: int) -> Sequence[str]:
    """Where more arrived than Telegram's limits allow: 30 a second, 1 a second in a chat, 20 a minute in a group."""
    found = [f"{refusals} refused for their pace"] if refusals else []
    if most_within([each.at for each in arrivals], 1.0) > 30:
        found.append("more than 30 in a second")
    for chat in {each.chat for each in arrivals}:
        times = [each.at for each in arrivals if each.chat == chat]
        if most_within(times, 1.0) > 1 or most_within(times, MINUTE) > 20:
            found.append(f"too fast in {chat}")
    return found


@asynccontextmanager
async def wecom_app() -> AsyncIterator[Scene]:
    """Five members."""
    emulator = WecomApiEmulator(seconds)
    async with emulator, faulty_line(("127.0.0.1", emulator.server.port)) as line:
        names = [f"c{number}" for number in range(5)]
        for name in names:
            emulator.member(name, name)

        def arrivals() -> Sequence[Arrival]:
            return [found_in(sent.to[0], sent.text, sent.at) for sent in emulator.sent if sent.to]

        def offences() -> Sequence[str]:
            dropped = [f"dropped by the platform: {sent.text}" for sent in emulator.sent if sent.dropped]
            return [*emulator.offences, *dropped]

        core = emulator.core
        base = f"http://127.0.0.1:{line.port}"
        app = App(core.corp_id, core.agent_id, core.secret, core.token, core.aes_key, base)
        chats = {name: Chat(name, private=True, needle=f'"touser":"{name}"') for name in names}
        yield Scene(
            WecomApp(app, Kit(None, words)), line, chats, "message/send", arrivals, offences, revoke=emulator.revoke
        )
        await emulator.caller.close()


@asynccontextmanager
async def wecom_group() -> AsyncIterator[Scene]:
    """Four robots of as many groups."""
    emulator = WecomApiEmulator(seconds)
    async with emulator, faulty_line(("127.0.0.1", emulator.server.port)) as line:
        names = [f"c{number}" for number in range(4)]
        keys = {name: emulator.robot(f"key-of-{name}") for name in names}
        owners = {key: name for name, key in keys.items()}

        def arrivals() -> Sequence[Arrival]:
            return [found_in(owners[post.key], post.text, post.at) for post in emulator.posts]

        def offences() -> Sequence[str]:
            codes = {call.errcode for call in emulator.core.calls} - {0, None}
            return [*emulator.offences, *(f"refused with {code}" for code in codes)]

        channel = WecomGroup(keys, f"http://127.0.0.1:{line.port}")
        chats = {name: Chat(name, private=False, needle=keys[name]) for name in names}
        yield Scene(channel, line, chats, "webhook/send", arrivals, offences)


@asynccontextmanager
async def wecom_aibot() -> AsyncIterator[Scene]:
    """Two people and three groups who have spoken to the bot before."""
    emulator = AibotEmulator(clock=seconds)
    async with emulator, faulty_line(("127.0.0.1", emulator.server.port)) as line:
        names = [f"c{number}" for number in range(5)]
        for name in names:
            if name in ("c1", "c2"):
                emulator.user(name, name, wrote=True)
            else:
                emulator.group(name, name, spoken=True)

        def arrivals() -> Sequence[Arrival]:
            return [found_in(seen.chat, seen.text, seen.at) for seen in emulator.visible]

        def offences() -> Sequence[str]:
            refused = [f"refused with {code}" for code in emulator.refusals if code != 40058]
            return [*emulator.offences, *refused]

        account = Aibot(emulator.bot_id, emulator.secret, emulator.name, f"ws://127.0.0.1:{line.port}")
        chats = {name: Chat(name, name in ("c1", "c2"), f'"chatid": "{name}"') for name in names}
        yield Scene(WecomAibotChannel(account, Kit(None, words)), line, chats, "aibot_send_msg", arrivals, offences)


SCENES: Mapping[str, Callable[[], AbstractAsyncContextManager[Scene]]] = {
    "telegram": telegram,
    "wecom_app": wecom_app,
    "wecom_aibot": wecom_aibot,
    "wecom_group": wecom_group,
}
