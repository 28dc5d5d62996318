"""A button gives nobody what he could not do by typing, however it is bent, and however often it is pressed at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from random import Random

import pytest

from bot.app import App, Park
from bot.channels.memory import MemoryChannel
from bot.civil import CivilClock
from domain.people import Role
from storage.database import Tx
from tests import needs
from tests.backends import Backend, open_house
from tests.making import civil, make_rules
from tests.security.doors import Door, Shown, WebDoor, opened, through_every_door
from tests.security.dumps import MESSAGES, Dump, changed, dump
from tests.security.presses import (
    BOSS,
    EVERYBODY,
    LIAISON,
    OFFICE,
    OTHER,
    OURS,
    SECOND,
    THEIRS,
    Press,
    bent,
    judge,
    live,
    shown,
)
from tests.stories.town import LADDERS, Town, make, people_the_town
from tests.summary import Tally
from texts import Catalogue

HOSTILE = {"sqlite": needs.count(100, 5_000), "postgres": needs.count(20, 1_000)}
AT_DOORS = {"sqlite": needs.count(20, 500), "postgres": needs.count(10, 100)}
SLICES = 2
PASSING = (*MESSAGES, "chats", "accounts", "posts", "post_marks", "counters", "sessions", "roster_revisions")
AT_ONCE = 20
A_SURE_HIT = 150
"""Of so many presses at least one is its presser's own."""
AT = "2026-03-11 09:00"


@pytest.fixture
async def town(backend: Backend) -> AsyncIterator[Town]:
    opened_town = await Town.open()
    await live(opened_town)
    opened_town.in_haste = True
    yield opened_town
    await opened_town.close()


async def person(town: Town, name: str) -> int | None:
    rows = await town.all("SELECT person_id FROM accounts WHERE external_id = :name", name=name)
    return rows[0]["person_id"] if rows else None


async def kept(town: Town) -> Dump:
    return await dump(town.database, *MESSAGES)


def overheard(press: Press, said: Sequence[str]) -> list[str]:
    """Words of one firm that somebody of the other one, or of none, was answered with."""
    foreign = {BOSS: (THEIRS,), SECOND: (THEIRS,), OTHER: (OURS,), "路人": (OURS, THEIRS)}
    return [text for text in said for words in foreign.get(press.who, ()) if words in text]


# One by one -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("part", range(SLICES))
async def test_a_bent_button_does_nothing_that_its_presser_could_not_type(
    town: Town, part: int, backend: Backend, tally: Tally
) -> None:
    random, before, effects = Random(31 + part), await kept(town), 0
    known = shown(town)
    presses = HOSTILE[backend.name] // SLICES
    for _ in range(presses):
        press = bent(random, known)
        who = await person(town, press.who)
        answers = await town.says(press.who, where=press.where, button=press.data)
        after = await kept(town)
        assert judge(press, before, after, who) == [], press
        assert overheard(press, [line.text for line in answers if line.listener == press.who]) == [], press
        effects, before = effects + (after["events"] != before["events"]), after
    assert len(known) > 40
    assert effects < presses
    assert effects or presses < A_SURE_HIT  # some were his to press
    tally("S3", presses)


BENT: Sequence[Callable[[str], str]] = (
    *(lambda data: data, lambda data: data + ":x", lambda data: data[:-1], lambda data: data.upper(), lambda data: ""),
    *(lambda data: data * 40, lambda data: "\ud800" + data, lambda data: data + "\x00", lambda data: f"{data}\n{data}"),
    *(lambda data: "withdraw:1:", lambda data: "supplement:1:", lambda data: "dispatch:1:2:person-2"),
    *(lambda data: "satisfied:1:99999", lambda data: "confirm::", lambda data: "pick:1::withdraw"),
    *(lambda data: "approve_group:::1", lambda data: "confirm_binding:::r1", lambda data: "é😀", lambda data: "file::"),
)


@through_every_door
async def test_at_no_door_does_a_press_of_somebody_elses_button_do_anything(
    channel: str, backend: Backend, tally: Tally
) -> None:
    async with opened(channel) as door:
        await door.meet("路人")
        for who, line in ((BOSS, f"诉求 {OURS} 停电"), (OTHER, "诉求 别家的事"), ("路人", "帮助"), ("郑老师", "待办")):
            await door.says(who, line)
        known = [*await door.shown(BOSS), *await door.shown(LIAISON)]
        random, before = Random(5), await dump(door.town.database, *PASSING)
        for number in range(AT_DOORS[backend.name]):
            who, button = random.choice((OTHER, "路人", "郑老师")), random.choice(known)
            said = await door.presses(who, button, BENT[number % len(BENT)](button.data))
            assert [text for text in said if OURS in text] == [], (who, button)
        assert changed(before, await dump(door.town.database, *PASSING)) <= {"kept_messages", "binding_requests"}
        await alive(door)
    tally("S3", AT_DOORS[backend.name])


async def alive(door: Door) -> None:
    """The real one still works, once."""
    (button, *_) = [one for one in await door.shown(LIAISON) if one.data.startswith("acknowledge:1:")]
    await door.presses(LIAISON, button)
    await door.presses(LIAISON, button)
    rows = await door.town.all("SELECT id FROM events WHERE name = 'acknowledge'")
    assert len(rows) == 1


# At once --------------------------------------------------------------------------------------------------------------
async def crowd(tx: Tx) -> None:
    """Twenty of the office, and twenty who speak for one firm."""
    firm = await tx.one("SELECT id FROM enterprises WHERE short_name = '宏达机械'")
    assert firm is not None
    for number in range(AT_ONCE):
        await make(tx, f"协调{number}", Role.COORDINATOR)
        contact = await make(tx, f"联系{number}", Role.CONTACT)
        await tx.run("INSERT INTO contacts VALUES (:firm, :person)", {"firm": firm["id"], "person": contact})


@pytest.fixture
async def full_house(backend: Backend) -> AsyncIterator[Town]:
    park = Park(make_rules(ladders=LADDERS), Catalogue.load(strict=True))
    clock, channel = CivilClock(lambda: civil(AT), civil(AT), frozen=True), MemoryChannel()
    database = await open_house("sqlite:///:memory:", connections=8)
    await database.transaction(people_the_town)
    await database.transaction(crowd)
    town = Town(App(park, database, {"memory": channel}, civil=clock, machine=clock), channel)
    town.in_haste = True
    yield town
    await database.close()


async def _withdrawn(town: Town) -> tuple[str, Sequence[str], str]:
    await town.says(BOSS, "诉求 停电")
    return await version(town, "withdraw"), [f"联系{n}" for n in range(AT_ONCE)], "withdraw"


async def _dispatched(town: Town) -> tuple[str, Sequence[str], str]:
    await town.says(BOSS, "诉求 天晴了")
    await town.says(LIAISON, "退单 1 县供电公司 不归我")
    sql = "SELECT person_id AS id FROM accounts WHERE external_id = '赵工'"
    data = f"{await version(town, 'dispatch')}:person-{(await town.one(sql))['id']}"
    return data, [f"协调{n}" for n in range(AT_ONCE)], "dispatch"


async def _taken_on(town: Town) -> tuple[str, Sequence[str], str]:
    await town.says(BOSS, "诉求 停电")
    return await version(town, "acknowledge"), [LIAISON] * AT_ONCE, "acknowledge"


async def _rated(town: Town) -> tuple[str, Sequence[str], str]:
    for who, line in ((BOSS, "诉求 停电"), (LIAISON, "接单 1"), (LIAISON, "办结 1 已修好")):
        await town.says(who, line)
    await town.wait(hours=1)
    return await version(town, "satisfied"), [f"联系{n}" for n in range(AT_ONCE)], "satisfied"


async def _granted(town: Town) -> tuple[str, Sequence[str], str]:
    for who, line in ((BOSS, "诉求 停电"), (LIAISON, "接单 1"), (LIAISON, "延期 1 3天 等配件")):
        await town.says(who, line)
    await town.wait(hours=1)
    return await version(town, "approve"), [f"协调{n}" for n in range(AT_ONCE)], "extend"


async def _let_in(town: Town) -> tuple[str, Sequence[str], str]:
    await town.says(BOSS, "诉求 停电", where="别处的群")
    chat = await town.one("SELECT id FROM chats WHERE external_id = 'group:别处的群'")
    return f"approve_group:::{chat['id']}", [f"协调{n}" for n in range(AT_ONCE)], "approve_group"


async def _vouched_for(town: Town) -> tuple[str, Sequence[str], str]:
    await town.says("路人", "绑定 和顺物流")
    request = await town.one("SELECT id FROM binding_requests")
    return f"confirm_binding:::r{request['id']}", [f"协调{n}" for n in range(AT_ONCE)], "bind"


SCENES: Mapping[str, Callable[[Town], Awaitable[tuple[str, Sequence[str], str]]]] = {
    "withdrawn": _withdrawn,
    "dispatched": _dispatched,
    "taken on": _taken_on,
    "rated": _rated,
    "granted": _granted,
    "let in": _let_in,
    "vouched for": _vouched_for,
}


async def version(town: Town, verb: str) -> str:
    """The button as it is shown just now."""
    return f"{verb}:1:{(await town.one('SELECT version FROM appeals WHERE number = :n', n='1'))['version']}"


@pytest.mark.parametrize("scene", SCENES)
async def test_twenty_presses_at_once_have_one_effect(full_house: Town, scene: str, tally: Tally) -> None:
    town = full_house
    data, who, event = await SCENES[scene](town)
    about = "AND subject LIKE 'enterprise:%'" if event == "bind" else ""
    count = f"SELECT id FROM events WHERE name = :name {about}"
    before = await town.all(count, name=event)
    presses = [
        town.channel.say(
            town.app.desk,
            {"chat": f"private:{one}", "private": True, "sender": one, "sender_name": one, "button": data},
        )
        for one in who
    ]
    await asyncio.gather(*presses)
    await town.settle()
    after = await town.all(count, name=event)
    assert len(after) - len(before) == 1
    assert await town.all("SELECT id FROM inbox WHERE state <> 'done'") == []
    tally("S3", AT_ONCE)


async def test_twenty_presses_of_one_page_have_one_effect(backend: Backend, tally: Tally) -> None:
    async with opened("web") as door:
        assert isinstance(door, WebDoor)
        await door.says(BOSS, f"诉求 {OURS} 停电")
        (button, *_) = [one for one in await door.shown(BOSS) if one.data.startswith("withdraw:")]
        async with await door.browser_of(BOSS) as browser:
            url = f"/api/chat/rooms/{await door.room(BOSS)}/press"
            bodies = [{"id": f"page-{n // 2:06d}", "post": button.message, "data": button.data} for n in range(AT_ONCE)]
            answers = await asyncio.gather(*(browser.post(url, json=body) for body in bodies))
        await door.town.answered()
        assert {answer.status_code for answer in answers} <= {200, 429}
        assert len(await door.town.all("SELECT id FROM events WHERE name = 'withdraw'")) == 1
    tally("S3", AT_ONCE)


async def test_without_ones_own_session_page_and_button_nothing_comes_in(backend: Backend, tally: Tally) -> None:
    async with opened("web") as door:
        assert isinstance(door, WebDoor)
        await door.says(BOSS, f"诉求 {OURS} 停电")
        (button, *_) = await door.shown(BOSS)
        before = await door.town.all("SELECT id FROM inbox")
        statuses = [await sneaked(door, button, how) for how in SNEAKS]
        assert set(statuses) <= {400, 401, 403, 404, 409, 413}, list(zip(SNEAKS, statuses, strict=True))
        assert await door.town.all("SELECT id FROM inbox") == before
    tally("S3", len(SNEAKS))


SNEAKS = (
    *("no session", "a made-up session", "another's room", "another site", "another post", "a made-up button"),
    *("no id", "another's session", "a button cut short", "an endless button", "no button", "a post of nowhere"),
)


async def sneaked(door: WebDoor, button: Shown, how: str) -> int:
    """The answer to a press that is not his, or not one."""
    await door.browser_of(BOSS)
    await door.browser_of(OTHER)
    tokens = {"no session": "", "a made-up session": "x" * 43, "another's session": door.tokens[OTHER]}
    body = {"id": "page-0000001", "post": button.message, "data": button.data}
    body |= {
        "another post": {"post": button.message + 1},
        "a made-up button": {"data": "approve_group:::1"},
        "no id": {"id": ""},
        "a button cut short": {"data": button.data[:-1]},
        "an endless button": {"data": button.data * 5000},
        "no button": {"data": None},
        "a post of nowhere": {"post": "-1"},
    }.get(how, {})
    room = await door.room(OTHER if how == "another's room" else BOSS)
    headers = {"Origin": "https://elsewhere.example.cn"} if how == "another site" else {}
    async with door.browser(tokens.get(how, door.tokens[BOSS]), **headers) as browser:
        return (await browser.post(f"/api/chat/rooms/{room}/press", json=body)).status_code


def test_everybody_is_in_the_town() -> None:
    assert {BOSS, OFFICE, "路人"} <= set(EVERYBODY)
