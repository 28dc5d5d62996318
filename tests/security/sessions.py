"""Random sessions in the park of canaries: anybody says or presses anything, anywhere, at any time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bot.app import App, Park
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from domain.verbs import Verb
from tests.backends import open_house
from tests.making import make_rules
from tests.security.canaries import (
    ALONE,
    AT,
    FIRMS,
    GROUPS,
    SHARED,
    Watch,
    coin,
    contacts,
    everybody,
    keep_file,
    settle,
)
from tests.stories.town import LADDERS, Town
from texts import Catalogue

CATALOGUE = Catalogue.load(strict=True)
WORDS: Sequence[str] = sorted(CATALOGUE.words())
LENGTHS = ("3天", "5个工作日", "到下周五", "2026-04-01", "")
LOOKS = ("进度", "回溯", "待办", "我的", "台账", "日报")
ALONE_WORDS = ("待办", "我的", "台账", "日报")
WHOM = ("值班工", "郑老师", "挂钩一", "挂钩二", "县供电公司", "教体局", "甲", "丙")


@dataclass
class Session:
    """The park under watch, and chance."""

    town: Town
    watch: Watch
    random: Random
    hashes: Sequence[tuple[str, str]] = ()
    shown: list[str] = field(default_factory=list)
    looked: int = 0

    async def hear(self, who: str, place: str, text: str = "", **more: Any) -> None:
        """Say it, and look at all that left because of it."""
        where = "" if place == "private" else place
        chat = f"group:{where}" if where else f"private:{who}"
        names = "".join(file["name"] for file in more.get("attachments", ()))
        self.watch.said(chat, text + names, by=who)
        await self.town.says(who, text, where=where, **more)
        await self.look()

    async def look(self) -> None:
        """Read what was sent since, and note who stands where now."""
        new = self.town.channel.sent[self.looked :]
        self.looked += len(new)
        self.shown += [key.data for parcel in new for row in parcel.keys for key in row]
        await self.watch.read(new)

    async def seed(self) -> None:
        """Some matters of every firm, a few of them far along, so that there is something to be found."""
        for letter in FIRMS:
            who, boss = f"{letter}联系人", "挂钩一" if letter in "甲乙" else "挂钩二"
            for kind in ("诉求", "诉求", "诉求", "投诉", "咨询"):
                await self.hear(who, "private", f"{kind} {self.words()} {self.random.choice(('停电', '推诿', '入学'))}")
            sql = """SELECT a.number FROM appeals a JOIN people p ON p.id = a.contact_id
                     WHERE p.name = :who AND a.sealed = 0 ORDER BY a.id"""
            mine = [row["number"] for row in await self.town.all(sql, who=who)]
            for number in mine[:3]:
                await self.hear(boss, "private", f"接单 {number}")
                await self.hear(boss, "private", f"备注 {number} {self.words()}")
            for number in mine[1:3]:
                await self.hear(boss, "private", f"办结 {number} {self.words()}")
            await self.hear(who, "private", f"不满意 {mine[1]} {self.words()}")

            where = next(name for name in (*ALONE, *SHARED)[::-1] if letter in name)
            await self.hear(who, where, f"诉求：{self.words()} 停电")
            number = (await self.town.one("SELECT number FROM appeals ORDER BY id DESC LIMIT 1"))["number"]
            for said in (f"接单 {number}", f"进展 {number} {self.words()}", f"办结 {number} {self.words()}"):
                await self.hear(boss, "private", said)
            await self.hear(who, "private", f"满意 {number}")

    async def round_off(self) -> None:
        """At the end everybody asks for all that can be asked for, and the next morning's digests leave."""
        for who in ("周芳", *everybody()):
            for word in ALONE_WORDS:
                await self.hear(who, "private", word)
                if self.watch.leaks:
                    return
        await self.town.wait(days=1)
        await self.look()

    def words(self) -> str:
        """A few words with a canary in them, early enough to stand in a title."""
        return f"{coin(self.random)}{self.random.choice(('车间不行', '还没修好', '请领导过问', '来电话了'))}"

    async def run(self) -> None:
        """One session: somebody says a few things in one place."""
        random = self.random
        who = random.choice(contacts() if random.random() < 0.4 else everybody())
        place = random.choice(GROUPS) if random.random() < 0.5 else "private"
        for _ in range(random.randint(3, 6)):
            await self._say(who, place)
        if random.random() < 0.15:
            await self.town.wait(hours=random.choice((1, 5, 26)))
            await self.look()
        await self.watch.look_around()

    async def _say(self, who: str, place: str) -> None:
        """One thing of many: a command, a press, an answer, a reply, an edit, plain words."""
        random = self.random
        ways = (self._command, self._command, self._look, self._follow, self._press, self._talk, self._reply)
        more: dict[str, Any] = {"addressed": random.random() < 0.5}
        if random.random() < 0.1:
            digest, name = random.choice(self.hashes)
            more["attachments"] = [{"hash": digest, "name": name, "media_type": "text/plain"}]
        text, way = await random.choice(ways)(who)
        await self.hear(who, place, text, **{**more, **way})

    async def _look(self, who: str) -> tuple[str, dict[str, Any]]:
        """Whatever can be asked for with a word alone, and any number."""
        word = self.random.choice(LOOKS)
        return (word if word in ALONE_WORDS else f"{word} {await self._number()}"), {}

    async def _follow(self, who: str) -> tuple[str, dict[str, Any]]:
        """What concerns a matter of his own firm, wherever he is."""
        sql = """SELECT a.number FROM appeals a WHERE a.enterprise_id IN (SELECT c.enterprise_id
                 FROM contacts c JOIN people p ON p.id = c.person_id WHERE p.name = :who) ORDER BY a.id"""
        mine = [row["number"] for row in await self.town.all(sql, who=who)]
        word = self.random.choice(("进度", "催办", "补充", "撤回", "满意", "不满意", "回溯", "撤销"))
        return f"{word} {self.random.choice(mine or ['1'])}", {}

    async def _command(self, who: str) -> tuple[str, dict[str, Any]]:
        random = self.random
        word = random.choice(WORDS)
        parts = [word, await self._number()]
        if random.random() < 0.5:
            parts.append(random.choice((*LENGTHS, *WHOM)))
        if random.random() < 0.7:
            parts.append(self.words())
        return " ".join(filter(None, parts)), {}

    async def _number(self) -> str:
        random = self.random
        rows = await self.town.all("SELECT number FROM appeals ORDER BY id")
        return random.choice(["", "", "999", *(str(row["number"]) for row in rows)])

    async def _press(self, who: str) -> tuple[str, dict[str, Any]]:
        """A button that somebody was shown, or one that nobody was."""
        if self.random.random() < 0.7 and self.shown:
            return "", {"button": self.random.choice(self.shown[-200:])}
        verb, number = self.random.choice(list(Verb)), await self._number()
        return "", {"button": f"{verb}:{number}:{self.random.randint(1, 6)}"}

    async def _talk(self, who: str) -> tuple[str, dict[str, Any]]:
        said = ("确认", "取消", "登记", "1", "2", self.words(), self.words(), *WHOM)
        return self.random.choice(said), {}

    async def _reply(self, who: str) -> tuple[str, dict[str, Any]]:
        known = await self.town.one("SELECT MAX(id) AS last FROM outbox")
        text, way = await self._command(who)
        return text, {"reply_to": self.random.randint(1, known["last"] or 1), **way, **self._edit()}

    def _edit(self) -> Mapping[str, Any]:
        return {"edited": True, "message_id": f"in-{self.random.randint(1, 50)}"} if self.random.random() < 0.2 else {}


@asynccontextmanager
async def opened(seed: int) -> AsyncIterator[Session]:
    """A park with matters in it, under watch."""
    random = Random(seed)
    rules = make_rules(ladders=LADDERS)
    database, channel = await open_house("sqlite:///:memory:"), MemoryChannel()
    clock = CivilClock(lambda: AT, AT, frozen=True)
    app = App(Park(rules, CATALOGUE), database, {"memory": channel}, civil=clock, machine=clock)
    watch = Watch(database)
    await database.transaction(lambda tx: settle(tx, rules, watch, random))
    session = Session(Town(app, channel), watch, random)
    names = [f"{coin(random)}.txt" for _ in range(4)]
    session.hashes = [(await keep_file(database, name), name) for name in names]
    for name in names:
        watch.said("nobody", name, by="nobody")
    await watch.look_around()
    await session.seed()
    try:
        yield session
    finally:
        await database.close()


