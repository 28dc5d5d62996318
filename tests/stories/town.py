"""A small park with the whole program in it: people speak, time is pushed, all that was said is kept in order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import App, Park
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from bot.config.sections import Ladder
from domain.guards import SECOND_THOUGHTS
from domain.people import Purpose, Role
from domain.rules import Clock, Listener, Rules, Rung
from domain.workdays import parse_span
from storage import outbox, seals
from storage.database import Database, Row, Tx
from tests import making
from tests.backends import open_house
from tests.making import civil
from texts import Catalogue

LADDERS: Mapping[Clock, tuple[Rung, ...]] = {
    Clock.DISPATCH: (Rung("0s", parse_span("0s"), (Listener.COORDINATOR,)),),
    Clock.ACKNOWLEDGE: (
        Rung("50%", 0.5, (Listener.HANDLER,)),
        Rung("0s", parse_span("0s"), (Listener.HANDLER,)),
        Rung("+1wd", parse_span("1wd"), (Listener.HANDLER, Listener.HEAD, Listener.COORDINATOR)),
    ),
    Clock.RESOLVE: (
        Rung("-2wd", parse_span("-2wd"), (Listener.HANDLER,)),
        Rung("0s", parse_span("0s"), (Listener.HANDLER,)),
        Rung("+1wd", parse_span("1wd"), (Listener.HANDLER, Listener.HEAD)),
        Rung("+3wd", parse_span("3wd"), (Listener.CHIEF,), release="coordinator"),
    ),
    Clock.SURVEY: (
        Rung("+3wd", parse_span("3wd"), (Listener.CONTACT,)),
        Rung("+6wd", parse_span("6wd"), (Listener.COORDINATOR,)),
    ),
    Clock.PART: tuple(table.rung() for table in Ladder().part),
    Clock.MILESTONE: tuple(table.rung() for table in Ladder().milestone),
    Clock.ORDER: tuple(table.rung() for table in Ladder().order),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One message that left: civil time, who heard it, its key and facts, the words on its buttons, its text."""

    time: str
    listener: str
    key: str
    facts: Mapping[str, Any]
    buttons: tuple[str, ...]
    text: str
    id: int
    data: tuple[str, ...]


class Town:
    """The program over a channel in memory with frozen time. A chat is a person's own or a group by its name."""

    def __init__(self, app: App, channel: MemoryChannel) -> None:
        self.app = app
        self.channel = channel
        self.said: list[Said] = []
        self.in_haste = False  # whether the next word is said within the minute
        self._sent = 0

    @classmethod
    async def open(
        cls,
        url: str = "sqlite:///:memory:",
        at: str = "2026-03-11 09:00",
        *,
        rules: Rules | None = None,
        new: bool = True,
        key: bytes | None = None,
    ) -> "Town":
        """A park of two firms in two zones, their cadres and offices, on a working morning."""
        database = await open_house(url)
        channel = MemoryChannel()
        park = Park(rules or making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))
        clock = CivilClock(lambda: civil(at), civil(at), frozen=True)
        app = App(park, database, {"memory": channel}, civil=clock, machine=clock, key=key)
        if key is not None:
            await database.transaction(lambda tx: seals.begin(tx, key))
        if new:
            await database.transaction(people_the_town)
        return cls(app, channel)

    @property
    def database(self) -> Database:
        """Where it all is kept."""
        return self.app.database

    async def close(self) -> None:
        """Everybody goes home."""
        await self.app.database.close()

    async def says(
        self,
        who: str,
        text: str = "",
        *,
        where: str = "",
        button: str | None = None,
        reply_to: int | None = None,
        addressed: bool = False,
        **more: Any,
    ) -> list[Said]:
        """Somebody writes or presses; what was said in answer, to whomever."""
        body = {
            "chat": f"group:{where}" if where else f"private:{who}",
            "private": not where,
            "sender": who,
            "sender_name": who,
            "text": text,
            "button": button,
            "reply_to": f"out-{reply_to}" if reply_to else None,
            "addressed": addressed,
            "chat_name": where,
            **more,
        }
        await self.channel.say(self.app.desk, body)
        return await self.answered()

    async def answered(self) -> list[Said]:
        """Let the program come to rest; what a handler might still take back is told when its minute is over."""
        said = await self.settle()
        waiting = await self.database.reading(lambda tx: outbox.next_due(tx, self.app.civil()))
        soon = waiting is not None and waiting <= self.app.civil() + SECOND_THOUGHTS
        if waiting is None or not soon or self.in_haste:
            return said
        await self.app.step_to(waiting)
        return said + await self.settle()

    async def presses(self, who: str, label: str) -> list[Said]:
        """Press the newest button of that name that `who` has been shown privately."""
        for said in reversed(self.said):
            if said.listener == who and label in said.buttons:
                data = said.data[said.buttons.index(label)]
                return await self.says(who, button=data, reply_to=said.id)
        raise AssertionError(f"{who} was shown no button {label}")

    async def wait(self, *, hours: float = 0, days: float = 0, until: str | None = None) -> list[Said]:
        """Push time; what was said meanwhile."""
        moment = civil(until) if until else self.app.civil() + timedelta(hours=hours, days=days)
        before = len(self.said)
        await self.app.step_to(moment)
        await self._listen()
        return self.said[before:]

    async def settle(self) -> list[Said]:
        """Let the program come to rest."""
        before = len(self.said)
        await self.app.settle()
        await self._listen()
        return self.said[before:]

    async def _listen(self) -> None:
        new = self.channel.sent[self._sent :]
        self._sent = len(self.channel.sent)
        for parcel in new:
            if parcel.kind == "edit":
                continue  # buttons that are over vanish; nothing is said
            row = await self.one("SELECT * FROM outbox WHERE id = :id", id=parcel.id)
            listener = parcel.chat.split(":", 1)[1]
            keys = [key for line in parcel.keys for key in line]
            self.said.append(
                Said(
                    time=self._shown(row["sent_at"]),
                    listener=listener,
                    key=row["text_key"],
                    facts=self._facts(row),
                    buttons=tuple(key.label for key in keys),
                    text=parcel.text,
                    id=parcel.id,
                    data=tuple(key.data for key in keys),
                )
            )

    def _facts(self, row: Row) -> Mapping[str, Any]:
        facts: Mapping[str, Any] = self._readable(json.loads(row["facts"]))
        return facts

    def _shown(self, ms: int) -> str:
        local = datetime.fromtimestamp(ms / 1000, making.ZONE)
        return local.strftime("%m-%d %H:%M")

    def _readable(self, value: Any) -> Any:
        """Facts as a person would check them: moments as civil time, sentences as their key."""
        if isinstance(value, dict) and set(value) == {"at"}:
            return self._shown(value["at"])
        if isinstance(value, dict) and "said" in value:
            return {value["said"]: self._readable(value["facts"])} if value["facts"] else value["said"]
        if isinstance(value, dict):
            return {name: self._readable(item) for name, item in value.items() if item is not None}
        if isinstance(value, list):
            return [self._readable(item) for item in value]
        return value

    async def one(self, sql: str, **params: Any) -> Row:
        """One row of the database."""

        async def unit(tx: Tx) -> Row:
            row = await tx.one(sql, params)
            assert row is not None, sql
            return row

        return await self.database.reading(unit)

    async def all(self, sql: str, **params: Any) -> Sequence[Row]:
        """All rows of a query."""
        return await self.database.reading(lambda tx: tx.all(sql, params))


async def people_the_town(tx: Tx) -> None:
    """Everybody who plays in the stories, each with a private chat of his own."""
    power = await making.make_department(tx, "县供电公司", "power", external=1)
    school = await making.make_department(tx, "教体局", "school")
    wang = await make(tx, "王敏", Role.LIAISON)
    li = await make(tx, "李强", Role.LIAISON)
    duty = await make(tx, "赵工", Role.HANDLER, department_id=power)
    head = await make(tx, "钱主任", Role.HEAD, department_id=power)
    chief = await make(tx, "孙县长", Role.CHIEF)
    await make(tx, "周芳", Role.COORDINATOR)
    await make(tx, "吴检", Role.INSPECTOR)
    teacher = await make(tx, "郑老师", Role.HANDLER, department_id=school)
    zhang = await make(tx, "张建国", Role.CONTACT)
    second = await make(tx, "张会计", Role.CONTACT)
    other = await make(tx, "陈和顺", Role.CONTACT)
    staff = {"d": duty, "h": head, "id": power}
    await tx.run("UPDATE departments SET duty_id = :d, head_id = :h WHERE id = :id", staff)
    await tx.run("UPDATE departments SET duty_id = :d WHERE id = :id", {"d": teacher, "id": school})
    hongda = await making.make_enterprise(
        tx, "宏达机械有限公司", zhang, second, liaison_id=wang, deputy_id=li, chief_id=chief, short_name="宏达机械"
    )
    heshun = await making.make_enterprise(
        tx, "和顺物流有限公司", other, liaison_id=wang, deputy_id=li, short_name="和顺物流"
    )
    await group(tx, Purpose.LIAISON, "大树营联企群", hongda, heshun)
    await group(tx, Purpose.LIAISON, "宏达机械联企群", hongda)
    await group(tx, Purpose.COORDINATION, "优化办调度群")


async def make(tx: Tx, name: str, *roles: Role, **columns: Any) -> int:
    """A person whom the memory channel knows by his name."""
    person = await making.make_person(tx, name, *roles, chat=False, **columns)
    await tx.run("DELETE FROM accounts WHERE person_id = :id", {"id": person})
    row = await tx.one(
        "INSERT INTO accounts(channel, external_id, name, person_id) VALUES ('memory', :name, :name, :id) RETURNING id",
        {"name": name, "id": person},
    )
    assert row is not None
    await tx.run(
        "INSERT INTO chats(channel, external_id, private, account_id) VALUES ('memory', :id, 1, :account)",
        {"id": f"private:{name}", "account": row["id"]},
    )
    return person


async def group(tx: Tx, purpose: Purpose, name: str, *firms: int) -> int:
    """A group chat of the memory channel, approved from the beginning."""
    chat = await making.make_group(tx, purpose, *firms, name=name)
    await tx.run(
        "UPDATE chats SET channel = 'memory', external_id = :id WHERE id = :chat", {"id": f"group:{name}", "chat": chat}
    )
    return chat


GOLDEN = Path(__file__).parent / "golden"


def transcript(said: Sequence[Said]) -> list[dict[str, Any]]:
    """What was said, as the golden lists keep it."""
    return [
        {
            "time": line.time,
            "listener": line.listener,
            "key": line.key,
            "facts": line.facts,
            "buttons": list(line.buttons),
            "text": line.text,
        }
        for line in said
    ]
