"""How somebody is reached on WeCom: by the bot, else by the app, else by name in a group; and whom nothing reaches."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from domain.people import Purpose, Role
from storage import accounts, chats, delivery, people, reaching
from storage.database import Database, Row, Tx
from storage.open import open_database
from tests.making import civil, make_enterprise, make_group, make_person, make_rules

AT = civil("2026-03-11 09:00")
RULES = make_rules()
BOT, APP, ROBOT = "wecom_aibot", "wecom_app", "wecom_group"


@pytest.fixture
async def tx() -> AsyncIterator["House"]:
    database = await open_database("sqlite:///:memory:")
    yield House(database)
    await database.close()


class House:
    """A park on WeCom; every act is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def do(self, unit: Any, *args: Any, **more: Any) -> Any:
        """`unit(tx, ...)`"""
        return await self.database.transaction(lambda tx: unit(tx, *args, **more))

    async def all(self, sql: str, **params: Any) -> Sequence[Row]:
        """All rows of a query."""
        return await self.database.reading(lambda tx: tx.all(sql, params))

    async def starts(self, *channels: str) -> None:
        """The program starts with these channels, and each makes itself known."""
        await self.do(accounts.switch, channels)
        for channel in channels:
            await self.do(chats.introduce, channel, "小联" if channel == BOT else "", "")
            await self.do(accounts.reach_all, channel, AT)

    async def person(self, name: str, *roles: Role, userid: str = "") -> int:
        """Somebody of the roster, whom no web chat reaches; bound on WeCom where there is a user id."""
        who: int = await self.do(make_person, name, *roles, chat=False)
        await self.do(lambda tx: tx.run("DELETE FROM accounts WHERE person_id = :id", {"id": who}))
        if userid:
            for channel in accounts.KIN:
                await self.do(accounts.bind_externally, channel, userid, who, by=None, at=AT)
        return who

    async def writes(self, channel: str, userid: str) -> None:
        """He writes to the bot or the app."""

        async def unit(tx: Tx) -> None:
            account = await people.meet(tx, channel, userid, "")
            await people.enter(tx, channel, userid, private=True, name="", account_id=account, at=AT)

        await self.do(unit)

    async def hears_in(self, who: int) -> str | None:
        """The channel of the private chat in which he hears."""
        chat = await self.do(people.private_chat, who)
        return chat.channel if chat else None

    async def refuses(self, channel: str, userid: str) -> None:
        """A message came back: the platform does not reach him there."""
        (chat,) = await self.all(
            "SELECT id FROM chats WHERE channel = :channel AND external_id = :id", channel=channel, id=userid
        )
        await self.do(delivery.unreachable, chat["id"])

    async def group(self, name: str, purpose: Purpose, *firms: int) -> int:
        """A group in which the smart bot is."""
        chat: int = await self.do(make_group, purpose, *firms, name=name)
        await self.do(
            lambda tx: tx.run("UPDATE chats SET channel = :bot, external_id = :id WHERE id = :chat",
                              {"bot": BOT, "id": f"wr-{name}", "chat": chat})
        )  # fmt: skip
        return chat

    async def call(self, who: int) -> bool:
        """Somebody must be called by name."""

        async def unit(tx: Tx) -> bool:
            person = await people.person(tx, who, AT)
            assert person is not None
            return await reaching.call_in_group(tx, person, RULES, AT, AT)

        return bool(await self.do(unit))

    async def calls(self) -> list[tuple[str, str, str]]:
        """(channel, chat, user) of everybody who was called."""
        rows = await self.all(
            """SELECT c.channel, c.external_id, a.external_id AS who FROM outbox o JOIN chats c ON c.id = o.chat_id
               JOIN accounts a ON a.id = o.mention ORDER BY o.id"""
        )
        return [(row["channel"], row["external_id"], row["who"]) for row in rows]


# The legs -------------------------------------------------------------------------------------------------------
async def test_who_writes_to_the_bot_hears_there_and_else_by_the_app(tx: House) -> None:
    await tx.starts(BOT, APP)
    who = await tx.person("王敏", Role.LIAISON, userid="wang")
    assert await tx.hears_in(who) == APP
    await tx.writes(BOT, "wang")
    assert await tx.hears_in(who) == BOT
    await tx.refuses(BOT, "wang")
    assert await tx.hears_in(who) == APP
    await tx.refuses(APP, "wang")
    assert await tx.hears_in(who) is None


async def test_who_is_bound_by_the_bot_is_reached_by_the_app_as_well(tx: House) -> None:
    await tx.starts(BOT, APP)
    who = await tx.person("张总", Role.CONTACT)
    await tx.writes(BOT, "zhang")
    account = await tx.do(accounts.account, BOT, "zhang")
    await tx.do(accounts.bind, account, who, by=None, at=AT)
    await tx.refuses(BOT, "zhang")
    assert await tx.hears_in(who) == APP


async def test_who_is_let_go_on_one_channel_is_let_go_on_both(tx: House) -> None:
    await tx.starts(BOT, APP)
    who = await tx.person("王敏", userid="wang")
    await tx.do(accounts.bind, await tx.do(accounts.account, BOT, "wang"), None, by=None, at=AT)
    assert await tx.all("SELECT id FROM accounts WHERE person_id = :id", id=who) == []
    assert await tx.hears_in(who) is None


async def test_other_platforms_keep_their_users_to_themselves(tx: House) -> None:
    await tx.starts(BOT, APP)
    who = await tx.person("王敏")
    await tx.do(accounts.bind, await tx.do(accounts.account, "telegram", "77"), who, by=None, at=AT)
    assert [row["channel"] for row in await tx.all("SELECT channel FROM accounts")] == ["telegram"]


async def test_an_app_that_is_switched_on_later_reaches_everybody_at_once(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("王敏", userid="wang")
    assert await tx.hears_in(who) is None
    await tx.starts(BOT, APP)
    assert await tx.hears_in(who) == APP


async def test_an_app_that_is_switched_off_reaches_nobody(tx: House) -> None:
    await tx.starts(BOT, APP)
    who = await tx.person("王敏", userid="wang")
    await tx.starts(BOT)
    assert await tx.hears_in(who) is None
    await tx.starts(BOT, APP)
    assert await tx.hears_in(who) == APP


async def test_a_roster_imported_before_the_first_start_counts_from_then_on(tx: House) -> None:
    who = await tx.person("王敏", userid="wang")
    assert await tx.hears_in(who) is None
    await tx.starts(BOT, APP)
    assert await tx.hears_in(who) == APP


async def test_a_stranger_is_shown_by_the_name_that_the_app_knows_else_by_his_user_id(tx: House) -> None:
    await tx.writes(BOT, "MaShiFu")
    stranger = await tx.do(accounts.account, BOT, "MaShiFu")
    assert await tx.do(accounts.shown_name, stranger) == "MaShiFu"
    await tx.do(people.meet, APP, "MaShiFu", "马师傅")
    assert await tx.do(accounts.shown_name, stranger) == "马师傅"
    other = await tx.do(accounts.account, "telegram", "77")
    assert await tx.do(accounts.shown_name, other) == ""


async def test_a_name_once_shown_outlives_a_message_without_one(tx: House) -> None:
    account = await tx.do(people.meet, APP, "ma", "马师傅")
    await tx.do(people.meet, APP, "ma", "")
    assert await tx.do(accounts.shown_name, account) == "马师傅"
    await tx.do(people.meet, APP, "ma", "马师傅（宏达）")
    assert await tx.do(accounts.shown_name, account) == "马师傅（宏达）"


# By name in a group ---------------------------------------------------------------------------------------------
async def test_the_robot_beside_the_bot_calls_by_name(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("王敏", Role.LIAISON, userid="wang")
    firm = await tx.do(make_enterprise, liaison_id=who)
    await tx.group("宏达群", Purpose.LIAISON, firm)
    await tx.do(reaching.speak_in, ROBOT, ["宏达群"], AT)
    assert await tx.call(who)
    assert await tx.calls() == [(ROBOT, "宏达群", "wang")]
    (row,) = await tx.all("SELECT text_key, facts FROM outbox")
    assert row["text_key"] == "reach.mention_bot"
    assert "小联" in row["facts"]


async def test_a_robot_may_be_named_by_the_groups_id(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("周主任", Role.COORDINATOR, userid="zhou")
    await tx.group("协调群", Purpose.COORDINATION)
    await tx.do(reaching.speak_in, ROBOT, ["wr-协调群"], AT)
    assert await tx.call(who)
    assert await tx.calls() == [(ROBOT, "wr-协调群", "zhou")]


async def test_without_a_robot_the_bot_writes_the_name(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("周主任", Role.COORDINATOR, userid="zhou")
    await tx.group("协调群", Purpose.COORDINATION)
    assert await tx.call(who)
    assert await tx.calls() == [(BOT, "wr-协调群", "zhou")]


async def test_a_group_in_which_he_can_be_called_comes_before_one_in_which_he_cannot(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("周主任", Role.COORDINATOR, userid="zhou")
    await tx.group("协调群", Purpose.COORDINATION)
    await tx.group("协调二群", Purpose.COORDINATION)
    await tx.do(reaching.speak_in, ROBOT, ["协调二群"], AT)
    assert await tx.call(who)
    assert await tx.calls() == [(ROBOT, "协调二群", "zhou")]


async def test_a_robot_that_is_gone_or_not_configured_any_more_is_passed_over(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("周主任", Role.COORDINATOR, userid="zhou")
    await tx.group("协调群", Purpose.COORDINATION)
    await tx.do(reaching.speak_in, ROBOT, ["协调群"], AT)
    await tx.do(reaching.speak_in, ROBOT, ["别的群"], AT)
    assert await tx.call(who)
    assert [channel for channel, _, _ in await tx.calls()] == [BOT]
    (robots,) = await tx.all("SELECT COUNT(*) AS n FROM chats WHERE channel = :robot AND reachable = 1", robot=ROBOT)
    assert robots["n"] == 1


async def test_robots_are_no_groups_of_the_house(tx: House) -> None:
    await tx.starts(BOT)
    await tx.group("协调群", Purpose.COORDINATION)
    await tx.do(reaching.speak_in, ROBOT, ["协调群"], AT)
    assert [chat.channel for chat in await tx.do(people.groups_for, Purpose.COORDINATION)] == [BOT]
    assert [chat.channel for chat in await tx.do(people.groups_called, "协调群")] == [BOT]


async def test_who_is_in_no_group_is_not_called(tx: House) -> None:
    await tx.starts(BOT)
    who = await tx.person("王敏", Role.CONTACT, userid="wang")
    await tx.group("协调群", Purpose.COORDINATION)
    assert not await tx.call(who)


# Whom nothing reaches -------------------------------------------------------------------------------------------
async def test_everybody_out_of_reach_is_listed_with_where_he_is_known(tx: House) -> None:
    await tx.starts(BOT, APP)
    await tx.person("没绑定", Role.CONTACT)
    await tx.person("看得见", Role.LIAISON, userid="seen")
    lost = await tx.person("看不见", Role.COORDINATOR, userid="unseen")
    await tx.refuses(APP, "unseen")
    await tx.group("协调群", Purpose.COORDINATION)
    assert await tx.hears_in(lost) is None
    assert await tx.do(reaching.unreached) == [
        reaching.Unreached("没绑定"),
        reaching.Unreached("看不见", (BOT, APP), "协调群"),
    ]


async def test_channels_that_are_off_reach_nobody(tx: House) -> None:
    await tx.starts(BOT, APP)
    await tx.person("王敏", Role.LIAISON, userid="wang")
    assert await tx.do(reaching.unreached, ("web", APP)) == []
    assert await tx.do(reaching.unreached, ("web", BOT)) == [reaching.Unreached("王敏", (BOT,))]


async def test_an_app_that_never_ran_is_not_said_to_hide_anybody() -> None:
    database = await open_database("sqlite:///:memory:")

    async def look(tx: Tx) -> list[bool]:
        person = await make_person(tx, "王敏", Role.LIAISON)
        await accounts.bind_externally(tx, "wecom_aibot", "WangMin", person, by=None, at=AT)
        before = await reaching.unreached(tx, ("wecom_aibot", "wecom_app"))
        await tx.run("INSERT INTO bots(channel, name, link) VALUES ('wecom_app', '联企', '')")
        after = await reaching.unreached(tx, ("wecom_aibot", "wecom_app"))
        return [one.at_start for one in (*before, *after)]

    assert await database.transaction(look) == [True, False]
    await database.close()
