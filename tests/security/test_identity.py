"""Who somebody is follows from the platform's id: names, codes, edits, forwards, other bots give no authority."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.people import Role
from storage import accounts, invites, people
from storage.database import Tx
from tests import needs
from tests.backends import Backend
from tests.making import make_person
from tests.security.doors import Door, TelegramDoor, opened, through_every_door
from tests.security.dumps import MESSAGES, Dump, changed, dump
from tests.summary import Tally

BOSS, OTHER, LIAISON, DEPUTY, OFFICE, STRANGER = "张建国", "陈和顺", "王敏", "李强", "周芳", "路人"
SECRET = "Ψ密语Ψ"
GUESSES = {"sqlite": needs.count(30, 1_000), "postgres": needs.count(10, 200)}
MEETING = ("accounts", "chats", "roster_revisions", "posts", "post_marks", "counters", "sessions")
"""That somebody came along is noted; it makes him nobody."""
LOOKALIKES = (
    *("周芳", "周 芳", "周芳\u200b", "\u2067周芳\u2069", "⼃周芳", "周芳（协调员）", "周芳\n", "周芳\u00a0"),
    *("芳周\u202e", "王敏", "玊敏", "王敏\u0301", "Wang Min", "Wаng Min", "联企", "lianqi_bot"),
    *("GroupAnonymousBot", "", "管理员", "0", "User5001", "5001"),
)
_LINES = (
    *("接单 1", "进度 1", "回溯 1", "派单 1 李强", "办结 1 好了", "满意 1", "撤回 1", "补充 1 我也来"),
    *("代录 宏达机械 停电", "待办", "我的", "台账", "日报", "发布", "批准此群", "确认绑定", "请假 3天"),
    *("值班", "语言 en", "控制台", "回访 1 满意"),
)
HOSTILE = _LINES[:: needs.count(3, 1)]
WIDE = {sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)}


@pytest.fixture
async def door(channel: str, backend: Backend) -> AsyncIterator[Door]:
    """One matter with words that nobody may learn, waiting to be taken on by 王敏."""
    async with opened(channel) as one:
        assert any("#1" in text for text in await one.says(BOSS, f"诉求 {SECRET} 停电"))
        yield one


async def kept(door: Door) -> Dump:
    """All that an attempt must leave alone."""
    return await dump(door.town.database, *MESSAGES, *MEETING)


async def write(door: Door, sql: str, **params: Any) -> None:
    """The office changes its roster."""
    await door.town.database.transaction(lambda tx: tx.run(sql, params))


async def code(door: Door, whose: str, *, firm: bool = False) -> str:
    """A code for a person or a firm."""

    async def unit(tx: Tx) -> str:
        at = door.town.app.civil()
        if firm:
            (target,) = await people.enterprises_called(tx, whose)
            return await invites.make(tx, target, at)
        (person,) = await people.people_named(tx, whose, at)
        return await invites.make(tx, person, at)

    return await door.town.database.transaction(unit)


async def bound(door: Door, who: str) -> str | None:
    """As whom he is known."""
    sql = """SELECT p.name FROM accounts a LEFT JOIN people p ON p.id = a.person_id
             WHERE a.external_id = :id AND a.channel = :channel"""
    rows = await door.town.all(sql, id=await door.user(who), channel=door.channel)
    return rows[0]["name"] if rows else None


async def plain_answers(door: Door) -> Mapping[str, list[str]]:
    """What somebody hears who is nobody and pretends nothing."""
    await door.meet(STRANGER)
    return {line: await door.says(STRANGER, line) for line in HOSTILE}


# Names ----------------------------------------------------------------------------------------------------------------
@through_every_door
async def test_a_name_makes_nobody_somebody(door: Door, tally: Tally) -> None:
    wanted = await plain_answers(door)
    before = await kept(door)
    for number, name in enumerate(LOOKALIKES):
        await door.meet(f"someone {number}", name)
        line = HOSTILE[number % len(HOSTILE)]
        assert await door.says(f"someone {number}", line) == wanted[line], name
    assert changed(before, await kept(door)) == set()
    assert all(SECRET not in text and len(text) < 400 for texts in wanted.values() for text in texts)
    tally("S1", len(LOOKALIKES) + len(HOSTILE))


@through_every_door
async def test_who_calls_himself_otherwise_stays_who_he_is(door: Door, tally: Tally) -> None:
    lines, names = ("派单 1 李强", "接单 1", "台账", "回访 1 满意"), (OFFICE, LIAISON, f"{OFFICE}\u200b")
    wanted = {line: await door.says(BOSS, line) for line in lines}
    before = await kept(door)
    for shown in names:
        await door.rename(BOSS, shown)
        assert {line: await door.says(BOSS, line) for line in lines} == wanted
    assert any(SECRET in text for text in await door.says(BOSS, "进度 1"))
    assert changed(before, await kept(door)) == set()
    tally("S1", len(lines) * len(names))


# Codes ----------------------------------------------------------------------------------------------------------------
def mangled(good: str) -> list[str]:
    """A code with something wrong in it."""
    other = "2" if good[0] != "2" else "3"
    return [
        *(good[:-1], good + "2", other + good[1:], good[::-1], good[:4] + good[5:].replace("-", "0"), good + good),
        *("0O1I-0O1I-0O", "", " ", "%", "' OR 1=1 --", "AAAA-AAAA-AA", "１２３４", "K" * 3000, "null", "🙂" * 10),
    ]


@through_every_door
async def test_a_code_with_anything_wrong_in_it_binds_nobody_and_is_answered_like_any_other(
    door: Door, tally: Tally
) -> None:
    good = await code(door, "宏达机械", firm=True)
    tries = [one for one in mangled(good) if invites.looks_like(one)]
    wanted = None
    for number, wrong in enumerate([*tries, "K7QF-3M9T-X2"]):
        await door.meet(f"guest {number}")
        answer = await door.says(f"guest {number}", f"绑定 {wrong}")
        wanted = wanted or answer
        assert (len(answer), answer) == (1, wanted), wrong
        assert await bound(door, f"guest {number}") is None
    before = await kept(door)
    for number, wrong in enumerate(one for one in mangled(good) if one not in tries):
        await door.meet(f"joker {number}")
        await door.says(f"joker {number}", f"绑定 {wrong}")
        assert await bound(door, f"joker {number}") is None, wrong
    assert changed(before, await kept(door)) <= {"bad_codes"}
    tally("S1", len(mangled(good)) + 1)


@through_every_door
async def test_a_code_counts_however_it_is_spaced(door: Door, tally: Tally) -> None:
    for number, spelt in enumerate((str.lower, _spaced, _wide)):
        good = await code(door, "和顺物流", firm=True)
        await door.meet(f"马师傅{number}")
        await door.says(f"马师傅{number}", f"绑定 {spelt(good)}")
        assert await bound(door, f"马师傅{number}") is not None
    tally("S1", 3)


def _spaced(good: str) -> str:
    return good.replace("-", " ")


def _wide(good: str) -> str:
    return good.translate(WIDE)


async def _used(door: Door) -> str:
    good = await code(door, "和顺物流", firm=True)
    await door.meet("马师傅")
    await door.says("马师傅", f"绑定 {good}")
    assert await bound(door, "马师傅") is not None
    return good


async def _expired(door: Door) -> str:
    good = await code(door, "和顺物流", firm=True)
    await door.town.app.step_to(door.town.app.civil() + timedelta(days=7))
    return good


async def _replaced(door: Door) -> str:
    old = await code(door, OFFICE)
    await code(door, OFFICE)
    return old


async def _of_a_firm_that_left(door: Door) -> str:
    good = await code(door, "和顺物流", firm=True)
    await write(door, "UPDATE enterprises SET active = 0 WHERE short_name = '和顺物流'")
    return good


async def _of_somebody_who_left(door: Door) -> str:
    good = await code(door, OFFICE)
    await write(door, "UPDATE people SET active = 0 WHERE name = :name", name=OFFICE)
    return good


OVER: Mapping[str, Callable[[Door], Awaitable[str]]] = {
    "used": _used,
    "expired": _expired,
    "replaced by a newer one": _replaced,
    "of a firm that left": _of_a_firm_that_left,
    "of somebody who left": _of_somebody_who_left,
}


@through_every_door
async def test_a_code_that_is_over_binds_nobody(door: Door, tally: Tally) -> None:
    for how, spoil in OVER.items():
        over = await spoil(door)
        await door.meet(how)
        before = await kept(door)
        (answer,) = await door.says(how, f"绑定 {over}")
        assert await bound(door, how) is None, how
        assert changed(before, await kept(door)) <= {"bad_codes"}, how
        assert not any(name in answer for name in (SECRET, OFFICE, "和顺")), how
    tally("S1", len(OVER))


@through_every_door
async def test_the_code_of_another_person_changes_nobody_who_is_somebody_already(door: Door, tally: Tally) -> None:
    good = await code(door, OFFICE)
    before = await kept(door)
    (answer,) = await door.says(BOSS, f"绑定 {good}")
    assert "已经绑定" in answer
    assert OFFICE not in answer
    assert changed(before, await kept(door)) == set()
    assert await door.says(BOSS, "台账") == await door.says(OTHER, "台账")
    tally("S1", 1)


@through_every_door
async def test_a_firms_code_gives_the_parks_side_no_voice_of_the_firm(door: Door, tally: Tally) -> None:
    good = await code(door, "宏达机械", firm=True)
    before = await kept(door)
    await door.says(LIAISON, f"绑定 {good}")
    await door.says(LIAISON, "满意 1")
    assert changed(before, await kept(door)) == set()
    tally("S1", 1)


@through_every_door
async def test_so_many_guesses_are_heard_and_no_more(door: Door, backend: Backend, tally: Tally) -> None:
    good = await code(door, OFFICE)
    await door.meet(STRANGER)
    before = await kept(door)
    answers: list[str] = []
    for number in range(GUESSES[backend.name]):
        signs = invites.ALPHABET[number % 32] + invites.ALPHABET[number // 32 % 32]
        if signs != good[-2:]:
            answers += await door.says(STRANGER, f"绑定 {good[:-2]}{signs}")
    assert len(answers) == invites.MOST_WRONG
    assert await door.says(STRANGER, f"绑定 {good}") == []  # not even the right one, for an hour
    assert await bound(door, STRANGER) is None
    assert changed(before, await kept(door)) == {"bad_codes"}
    tally("S1", GUESSES[backend.name])


# The button that binds ------------------------------------------------------------------------------------------------
@through_every_door
async def test_nobody_but_the_firms_liaison_or_the_office_says_who_speaks_for_it(door: Door, tally: Tally) -> None:
    await door.meet("马师傅")
    await door.says("马师傅", "绑定 宏达机械")
    asking = [button for button in await door.shown(LIAISON) if button.data.startswith("confirm_binding")]
    assert len(asking) == 1
    await door.meet("何新")
    await become(door, "何新", Role.LIAISON)
    before = await kept(door)
    for who in ("马师傅", "何新", OTHER, BOSS, "赵工", "孙县长", "吴检", "郑老师", "钱主任"):
        for data in (asking[0].data, "confirm_binding:::a1", "confirm_binding:::r2", "confirm_binding:1:1:r1"):
            said = await door.presses(who, (await any_button(door, who)) or asking[0], data)
            assert all("马师傅" not in text for text in said), who
    assert changed(before, await kept(door)) == set()
    await door.presses(LIAISON, asking[0])
    assert await bound(door, "马师傅") is not None
    tally("S1", 36)


async def become(door: Door, who: str, role: Role) -> None:
    """Somebody is taken into the roster."""
    told = {"channel": door.channel, "id": await door.user(who)}

    async def unit(tx: Tx) -> None:
        account = await accounts.account(tx, told["channel"], told["id"])
        person = await make_person(tx, who, role, chat=False)
        await accounts.bind(tx, account, person, by=None, at=door.town.app.civil())

    await door.town.database.transaction(unit)


async def any_button(door: Door, who: str) -> Any:
    """A message of his own that a press can hang on."""
    return next(iter(await door.shown(who)), None)


# Who is somebody else now, or nobody ----------------------------------------------------------------------------------
@through_every_door
async def test_an_account_that_was_let_go_or_rebound_keeps_nothing_of_before(door: Door, tally: Tally) -> None:
    old = (await door.shown(LIAISON))[0]
    account = await door.town.one(
        "SELECT a.id FROM accounts a JOIN people p ON p.id = a.person_id WHERE p.name = :name", name=LIAISON
    )

    async def rebind(tx: Tx) -> None:
        newcomer = await make_person(tx, "何新", Role.HANDLER, chat=False)
        await accounts.bind(tx, account["id"], newcomer, by=None, at=door.town.app.civil())

    await door.town.database.transaction(rebind)
    before = await kept(door)
    said = [*await door.presses(LIAISON, old), *await door.says(LIAISON, "接单 1"), *await door.says(LIAISON, "进度 1")]
    assert said
    assert all(SECRET not in text for text in said)
    assert changed(before, await kept(door)) == set()
    assert await door.says(LIAISON, "进度 999") == [said[-1].replace("#1", "#999")]
    tally("S1", 3)


@through_every_door
async def test_who_left_the_roster_is_nobody(door: Door, tally: Tally) -> None:
    wanted = await plain_answers(door)
    old = (await door.shown(LIAISON))[0]
    await write(door, "UPDATE people SET active = 0 WHERE name = :name", name=LIAISON)
    before, heard = await kept(door), len(await door.heard(LIAISON))
    for line in HOSTILE:
        assert await door.says(LIAISON, line) == (wanted[line] if door.channel != "web" else []), line
    await door.presses(LIAISON, old)
    assert changed(before, await kept(door)) == set()
    await door.says(BOSS, "补充 1 还在停")
    assert not any(SECRET in text for text in list(await door.heard(LIAISON))[heard:])
    tally("S1", len(HOSTILE) + 1)


# What Telegram brings -------------------------------------------------------------------------------------------------
Bring = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
OFFICIAL = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
OTHER_BOT = {"id": 4242, "is_bot": True, "first_name": OFFICE, "username": "other_bot"}
CHANNEL = {"id": -1009999, "type": "channel", "title": OFFICE}
STRANGE: Mapping[str, Bring] = {
    "a bot under the office's own id": lambda m, me: {"message": {**m, "from": {**me, "is_bot": True}}},
    "another bot of that name": lambda m, me: {"message": {**m, "from": OTHER_BOT}},
    "words that another bot wrote": lambda m, me: {"message": {**m, "from": me, "via_bot": OTHER_BOT}},
    "words of another bot, edited": lambda m, me: {
        "edited_message": {**m, "from": me, "via_bot": OTHER_BOT, "edit_date": m["date"]}
    },
    "the anonymous administrator": lambda m, me: {"message": {**m, "from": ANONYMOUS}},
    "a channel in the office's chat": lambda m, me: {"message": {**m, "from": me, "sender_chat": CHANNEL}},
    "a channel's post, passed on by itself": lambda m, me: {
        "message": {**m, "from": OFFICIAL, "sender_chat": CHANNEL, "is_automatic_forward": True}
    },
    "a post": lambda m, me: {"channel_post": {**m, "chat": CHANNEL, "sender_chat": CHANNEL}},
    "nobody": lambda m, me: {"message": m},
    "a message of somebody's business": lambda m, me: {"business_message": {**m, "from": me}},
    "an edit": lambda m, me: {"edited_message": {**m, "from": me, "edit_date": m["date"]}},
    "a press on a message of nowhere": lambda m, me: {
        "callback_query": {"id": "1", "from": me, "inline_message_id": "x", "chat_instance": "1", "data": "mine::"}
    },
}


@pytest.fixture
async def telegram(backend: Backend) -> AsyncIterator[TelegramDoor]:
    async with opened("telegram") as one:
        await one.says(BOSS, f"诉求 {SECRET} 停电")
        assert isinstance(one, TelegramDoor)
        yield one


async def test_what_is_said_by_nobody_in_person_has_no_authority(telegram: TelegramDoor, tally: Tally) -> None:
    me = telegram.town.users[OFFICE].json()
    private = telegram.town.emulator.chat(telegram.town.users[OFFICE].id)
    chats = [private.json(), telegram.town.groups["优化办调度群"].json()]
    before = await kept(telegram)
    for name, bring in STRANGE.items():
        for chat in chats:
            for text in ("派单 1 李强 快办", "/dispatch 1 李强", "台账"):
                message = {"message_id": 9_000_000, "date": 1_773_190_800, "chat": chat, "text": text}
                telegram.town.emulator.push_raw(bring(message, me))
                said = await telegram.town.settle()
                assert all(line.key == "reply.unnamed" for line in said), (name, text)
                assert changed(before, await kept(telegram)) == set(), (name, text)
    tally("S1", len(STRANGE) * 6)


async def test_a_forward_is_its_forwarders(telegram: TelegramDoor, tally: Tally) -> None:
    origin = {"type": "user", "sender_user": telegram.town.users[OFFICE].json(), "date": 1_773_190_000}
    before = await kept(telegram)
    for who in (BOSS, OTHER):
        chat = telegram.town.emulator.chat(telegram.town.users[who].id).json()
        said = {"from": telegram.town.users[who].json(), "text": "派单 1 李强 快办", "forward_origin": origin}
        message = {"message_id": 9_000_000, "date": 1_773_190_800, "chat": chat, **said}
        telegram.town.emulator.push_raw({"message": message})
        answers = await telegram.town.settle()
        assert [line.key for line in answers] == ["refused.not_yours" if who == BOSS else "refused.not_found"]
    assert changed(before, await kept(telegram)) == set()
    tally("S1", 2)


async def test_ids_that_look_alike_are_of_different_people(tally: Tally) -> None:
    async with opened("wecom_aibot") as door:
        await door.says(BOSS, f"诉求 {SECRET} 停电")
        town: Any = door.town
        true = town.users[OFFICE]
        before = await kept(door)
        alike = [true.lower(), true.upper(), f"{true} ", f" {true}", f"{true}\u200b", true.translate(WIDE), f"{true}|x"]
        alike += [true.replace("e", "е"), true[:-1], f"{true}0", f"{true}\n", f"private:{true}", "@all", "*", "%"]
        for number, userid in enumerate(one for one in alike if one != true):
            town.users[f"like {number}"] = town.emulator.user(userid, OFFICE)
            said = await door.says(f"like {number}", "派单 1 李强 快办")
            assert all(SECRET not in text for text in said), userid
        assert changed(before, await kept(door)) == set()
    tally("S1", len(alike))
