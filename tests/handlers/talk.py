"""Who speaks in the tests of handlers, and short ways to ask what was heard; all of it through the whole program."""

from collections.abc import Sequence
from typing import Any

from domain.chat import Attachment
from domain.people import Role
from storage.database import Row
from storage.values import to_ms
from tests.making import civil
from tests.stories.town import Said, Town, make

BOSS, CLERK, OTHER, LIAISON, DEPUTY, OFFICE = "张建国", "张会计", "陈和顺", "王敏", "李强", "周芳"
DUTY, HEAD, CHIEF, INSPECTOR, TEACHER = "赵工", "钱主任", "孙县长", "吴检", "郑老师"
MULTI, SINGLE, CONTROL = "大树营联企群", "宏达机械联企群", "优化办调度群"


def to(said: Sequence[Said], who: str) -> list[str]:
    """The keys of what somebody heard."""
    return [line.key for line in said if line.listener == who]


def heard(said: Sequence[Said], who: str) -> str:
    """The words of what somebody heard."""
    return "\n".join(line.text for line in said if line.listener == who)


def newest(town: Town, who: str, key: str) -> Said:
    """The last message of that key that somebody got."""
    return next(line for line in reversed(town.said) if line.listener == who and line.key == key)


async def appeal(town: Town, number: int = 1) -> Row:
    """The row of an appeal."""
    return await town.one("SELECT * FROM appeals WHERE number = :number", number=str(number))


async def count(town: Town, table: str) -> int:
    """How many rows a table has."""
    return int((await town.one(f"SELECT COUNT(*) AS n FROM {table}"))["n"])


async def words(town: Town, name: str) -> list[str]:
    """What people wrote with the steps of that name."""
    said = "SELECT t.body FROM events e JOIN event_texts t ON t.event_id = e.id WHERE e.name = :name ORDER BY e.id"
    rows = await town.all(said, name=name)
    return [row["body"] for row in rows]


async def photo(town: Town, content: bytes = b"photo", name: str = "现场.jpg") -> dict[str, str]:
    """A picture as a message brings it."""
    kept: Attachment = await town.app.desk.keep_file(content, name, "image/jpeg")
    return {"hash": kept.hash, "name": kept.name, "media_type": kept.media_type}


async def change(town: Town, sql: str, **params: Any) -> None:
    """Something in the park becomes different."""
    await town.database.transaction(lambda tx: tx.run(sql, params))


async def newcomer(town: Town, name: str, *roles: Role) -> int:
    """One more person, with a private chat."""
    return await town.database.transaction(lambda tx: make(tx, name, *roles))


async def on_leave(town: Town, who: str, until: str, deputy: str | None = None) -> None:
    """Somebody is away until then."""
    await change(
        town,
        """UPDATE people SET on_leave_until = :until, deputy_id = (SELECT id FROM people WHERE name = :deputy)
           WHERE name = :who""",
        until=to_ms(civil(until)),
        deputy=deputy,
        who=who,
    )


async def taken_on(town: Town, text: str = "车间停电", where: str = "") -> None:
    """A matter that its handler has taken on."""
    await town.says(BOSS, f"诉求 {text}", where=where)
    await town.presses(LIAISON, "接单")


async def reported_done(town: Town, text: str = "车间停电", where: str = "") -> None:
    """A matter of which its handler says that it is done."""
    await taken_on(town, text, where)
    number = (await town.one("SELECT MAX(CAST(number AS INTEGER)) AS n FROM appeals"))["n"]
    await town.says(LIAISON, f"办结 {number} 已送电")
