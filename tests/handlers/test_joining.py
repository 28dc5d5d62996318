"""Who is who, told in chat: codes, `绑定 <firm>`, kept messages, groups, leave, language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.chat import Attachment, Incoming
from domain.people import Purpose, Role
from domain.verbs import Verb
from handlers import joining, keeping, raising
from handlers.conversation import House, hear
from handlers.router import Router
from storage import invites, people
from storage.database import Database, Tx
from storage.open import open_database
from storage.values import from_json, from_ms
from tests.making import civil, make_department, make_enterprise, make_group, make_person, make_rules
from texts import Catalogue

PICTURE = "ab" * 32
NOON = civil("2026-03-11 10:00")
RULES = make_rules()
HOUSE = House(
    RULES,
    Catalogue.load(strict=True).words(),
    ("联企",),
    Router({**raising.COMMANDS, **joining.COMMANDS}, keeping.keep),
)


@dataclass
class Said:
    """A message that is owed: to which chat, which text, with which facts and buttons."""

    chat: str
    key: str
    facts: dict[str, Any]
    buttons: list[str]


@dataclass
class Town:
    """A small park: 王敏 is the liaison of 宏达机械, 李强 of 和顺物流, 林晓云 coordinates."""

    db: Database
    now: datetime = NOON
    ids: dict[str, int] = field(default_factory=dict)
    seen: int = 0
    count: int = 0

    async def says(self, who: str, text: str = "", *, group: str = "", button: str = "", files: int = 0) -> list[Said]:
        """Somebody writes (privately, or in a group); what is owed to anybody because of it."""
        self.count += 1
        message = Incoming(
            channel="web",
            account="web",
            chat=group or f"private-{self.ids.get(who, who)}",
            private=not group,
            message_id=str(self.count),
            sender=f"{who}-{self.ids[who]}" if who in self.ids else who,
            sender_name=who,
            sent_at=self.now,
            text=text,
            button=button or None,
            attachments=tuple(Attachment(PICTURE, f"{n}.jpg", "image/jpeg") for n in range(files)),
            addressed=bool(group),
            chat_name=group,
        )
        await self.db.transaction(lambda tx: hear(tx, HOUSE, message, self.now))
        return await self.owed()

    async def owed(self) -> list[Said]:
        rows = await self.db.transaction(
            lambda tx: tx.all(
                """SELECT o.*, c.external_id AS chat, p.name AS person FROM outbox o JOIN chats c ON c.id = o.chat_id
                   LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN people p ON p.id = a.person_id
                   WHERE o.id > :seen ORDER BY o.id""",
                {"seen": self.seen},
            )
        )
        self.seen = max([self.seen, *(row["id"] for row in rows)])
        return [
            Said(
                row["person"] or row["chat"].removeprefix("private-"),
                row["text_key"],
                from_json(row["facts"]),
                [button[0] for line in from_json(row["buttons"]) for button in line],
            )
            for row in rows
        ]

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.db.transaction(lambda tx: tx.all(sql))]


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    database = await open_database("sqlite:///:memory:")
    town = Town(database)

    async def unit(tx: Tx) -> None:
        await make_department(tx)
        await tx.run(
            "INSERT INTO files(hash, media_type, size, content, kept_at) VALUES (:hash, 'image/jpeg', 1, x'00', 0)",
            {"hash": PICTURE},
        )
        for name, role in (("王敏", Role.LIAISON), ("李强", Role.LIAISON), ("林晓云", Role.COORDINATOR)):
            town.ids[name] = await make_person(tx, name, role)
        town.ids["宏达机械"] = await make_enterprise(tx, "宏达机械有限公司", liaison_id=town.ids["王敏"])
        town.ids["和顺物流"] = await make_enterprise(tx, "和顺物流有限公司", liaison_id=town.ids["李强"])
        await make_group(tx, Purpose.LIAISON, town.ids["宏达机械"], town.ids["和顺物流"], name="片区群")
        await make_group(tx, Purpose.LIAISON, town.ids["宏达机械"], name="宏达群")

    await database.transaction(unit)
    yield town
    await database.close()


def keys(said: list[Said]) -> list[tuple[str, str]]:
    return [(one.chat, one.key) for one in said]


async def code_for(town: Town, firm: str) -> str:
    async def unit(tx: Tx) -> str:
        return await invites.make(tx, await people.enterprise(tx, town.ids[firm]), town.now)

    return await town.db.transaction(unit)


# Coming in ------------------------------------------------------------------------------------------------------------
async def test_who_is_known_is_greeted_when_he_opens_the_chat_and_told_so_when_he_binds_again(town: Town) -> None:
    assert keys(await town.says("王敏", "/start")) == [("王敏", "joining.hello_office")]
    assert keys(await town.says("王敏", "绑定")) == [("王敏", "joining.known")]
    await town.says("张总", f"绑定 {await code_for(town, '宏达机械')}")
    assert keys(await town.says("张总", "/start")) == [("张总", "joining.hello_firm")]


# Codes ----------------------------------------------------------------------------------------------------------------
async def test_a_desk_cards_code_binds_and_the_liaison_hears_who_joined(town: Town) -> None:
    said = await town.says("张总", f"绑定 {await code_for(town, '宏达机械')}")
    assert keys(said) == [("王敏", "joining.joined"), ("张总", "joining.bound")]
    assert said[1].facts == {"name": "张总", "firm": "宏达机械", "filed": None}


async def test_the_start_of_a_telegram_link_binds_as_well(town: Town) -> None:
    said = await town.says("张总", f"/start {await code_for(town, '宏达机械')}")
    assert ("张总", "joining.bound") in keys(said)


async def test_wrong_codes_are_answered_alike_and_who_guesses_meets_silence(town: Town) -> None:
    used = await code_for(town, "宏达机械")
    await town.says("甲", f"绑定 {used}")
    old = await code_for(town, "宏达机械")
    town.now += timedelta(days=8)
    answers = [await town.says("贼", f"绑定 {code}") for code in (used, old, "ABCD-EFGH-22", "K7QF-3M9T", "x1")]
    assert [keys(said) for said in answers] == [[("贼", "joining.wrong_code")]] * 5
    good = await code_for(town, "宏达机械")
    assert await town.says("贼", f"绑定 {good}") == []
    town.now += timedelta(hours=1)
    assert ("贼", "joining.bound") in keys(await town.says("贼", f"绑定 {good}"))


# 绑定 <firm> ----------------------------------------------------------------------------------------------------------
async def test_a_firm_named_is_confirmed_by_its_liaison_with_one_press(town: Town) -> None:
    said = await town.says("张总", "绑定 宏达机械")
    assert keys(said) == [("王敏", "joining.confirm"), ("张总", "joining.asked")]
    (button,) = said[0].buttons
    done = await town.says("王敏", button=button)
    assert sorted(keys(done)) == [("张总", "joining.bound"), ("王敏", "joining.confirmed")]
    again = await town.says("王敏", button=button)
    assert keys(again) == [("王敏", "joining.confirmed_before")]
    assert again[0].facts["by"] == "王敏"


async def test_nobody_but_the_firms_liaison_or_a_coordinator_confirms(town: Town) -> None:
    (button,) = (await town.says("张总", "绑定 宏达机械"))[0].buttons
    assert keys(await town.says("李强", button=button)) == [("李强", "joining.not_yours")]
    assert keys(await town.says("张总", button=button)) == [("张总", "joining.unknown")]
    assert ("林晓云", "joining.confirmed") in keys(await town.says("林晓云", button=button))


async def test_coordinators_are_asked_where_the_liaison_cannot_be_reached(town: Town) -> None:
    await town.db.transaction(lambda tx: tx.run("UPDATE chats SET reachable = 0 WHERE external_id = 'private-1'"))
    said = await town.says("张总", "绑定 宏达机械")
    assert keys(said)[0] == ("林晓云", "joining.confirm")


async def test_asking_again_asks_nobody_twice_and_asking_everybody_ends(town: Town) -> None:
    await town.says("张总", "绑定 宏达机械")
    assert keys(await town.says("张总", "绑定 宏达机械")) == [("张总", "joining.asked_before")]
    for minute in range(2):
        town.now += timedelta(minutes=1)
        await town.db.transaction(lambda tx: make_enterprise(tx, f"第{town.count}厂"))
        await town.says("张总", f"绑定 第{town.count}厂")
        assert minute < 2
    town.now += timedelta(minutes=1)
    assert keys(await town.says("张总", "绑定 和顺物流")) == [("张总", "joining.enough_requests")]


async def test_an_unknown_or_unclear_firm_is_told(town: Town) -> None:
    assert keys(await town.says("张总", "绑定 宏大机械")) == [("张总", "joining.firm_unknown")]
    assert keys(await town.says("张总", "绑定 有限公司")) == [("张总", "joining.firm_unclear")]
    assert keys(await town.says("王敏", "绑定 宏达机械")) == [("王敏", "joining.office_not_contact")]


async def test_the_button_has_a_twin_in_words(town: Town) -> None:
    assert keys(await town.says("王敏", "确认绑定")) == [("王敏", "joining.nobody_waits")]
    (button,) = (await town.says("张总", "绑定 宏达机械"))[0].buttons
    (waiting,) = await town.says("王敏", "确认绑定")
    assert (waiting.key, waiting.buttons) == ("joining.waiting", [button])
    assert keys(await town.says("李强", "确认绑定")) == [("李强", "joining.nobody_waits")]


# Kept messages --------------------------------------------------------------------------------------------------------
async def test_a_strangers_appeal_in_a_group_is_kept_and_filed_with_its_own_time(town: Town) -> None:
    said = await town.says("张总", "诉求 车间电压低", group="liaison-宏达群")
    assert keys(said) == [("王敏", "joining.confirm"), ("liaison-宏达群", "joining.kept")]
    assert "电压" not in str([one.facts for one in said])
    assert await town.rows("SELECT id FROM appeals") == []
    first, town.now = town.now, town.now + timedelta(hours=5)
    done = await town.says("王敏", button=said[0].buttons[0])
    filed = (await town.rows("SELECT * FROM appeals"))[0]
    assert from_ms(filed["received_at"]) == first
    assert (filed["enterprise_id"], filed["handler_id"]) == (town.ids["宏达机械"], town.ids["王敏"])
    assert ("王敏", "joining.confirmed") in keys(done)
    assert ("liaison-宏达群", "joining.kept_filed") in keys(done)
    assert await town.rows("SELECT id FROM kept_messages WHERE filed_at IS NULL") == []


async def test_in_a_group_of_several_firms_each_liaison_gets_his_firms_button_and_the_first_press_decides(
    town: Town,
) -> None:
    said = await town.says("张总", "诉求 停水了", group="liaison-片区群")
    assert keys(said)[:2] == [("王敏", "joining.confirm"), ("李强", "joining.confirm")]
    await town.says("李强", button=said[1].buttons[0])
    late = await town.says("王敏", button=said[0].buttons[0])
    assert keys(late) == [("王敏", "joining.confirmed_before")]
    (filed,) = await town.rows("SELECT enterprise_id FROM appeals")
    assert filed["enterprise_id"] == town.ids["和顺物流"]


async def test_a_group_of_several_firms_hears_the_number_but_not_the_words(town: Town) -> None:
    said = await town.says("张总", "诉求 停水了", group="liaison-片区群")
    done = await town.says("李强", button=said[1].buttons[0])
    (told,) = [one for one in done if one.key == "joining.kept_filed"]
    assert (told.chat, told.facts["number"], told.facts["title"]) == ("liaison-片区群", "1", None)


async def test_several_kept_messages_ask_once_and_are_all_filed(town: Town) -> None:
    said = await town.says("张总", "诉求 停水了", group="liaison-宏达群")
    more = await town.says("张总", "建议 装路灯", group="liaison-宏达群")
    assert keys(more) == [("liaison-宏达群", "joining.kept")]
    await town.says("王敏", button=said[0].buttons[0])
    assert [row["kind"] for row in await town.rows("SELECT kind FROM appeals ORDER BY id")] == ["appeal", "suggestion"]


async def test_a_stranger_in_private_is_kept_and_says_his_firm(town: Town) -> None:
    said = await town.says("张总", "诉求 车间电压低", files=1)
    assert keys(said) == [("林晓云", "joining.who_is_it"), ("张总", "joining.kept_alone")]
    assert keys(await town.says("张总", files=2)) == [("张总", "joining.kept_added")]
    asked = await town.says("张总", "绑定 宏达机械")
    done = await town.says("王敏", button=asked[0].buttons[0])
    assert ("张总", "joining.kept_filed") in keys(done)
    (bound,) = [one for one in done if one.key == "joining.bound"]
    assert bound.facts["filed"] == 1
    assert len(await town.rows("SELECT hash FROM event_files")) == 1


async def test_a_coordinator_says_which_firm_a_private_stranger_belongs_to(town: Town) -> None:
    said = await town.says("张总", "诉求 车间电压低")
    assert keys(await town.says("林晓云", button=said[0].buttons[0])) == [("林晓云", "joining.ask_firm")]
    done = await town.says("林晓云", "和顺物流")
    assert ("林晓云", "joining.confirmed") in keys(done)
    assert ("张总", "joining.bound") in keys(done)
    again = await town.says("林晓云", button=said[0].buttons[0])
    assert keys(again) == [("林晓云", "joining.bound_meanwhile")]


async def test_plain_words_of_a_stranger_are_offered_to_be_kept(town: Town) -> None:
    (offer,) = await town.says("张总", "车间电压低")
    assert (offer.key, offer.buttons[0]) == ("joining.offer_to_keep", "file::")
    assert ("张总", "joining.kept_alone") in keys(await town.says("张总", button="file::"))
    (kept,) = await town.rows("SELECT body FROM kept_messages")
    assert from_json(kept["body"])["text"] == "车间电压低"


async def test_a_stranger_cannot_fill_the_house(town: Town) -> None:
    for _ in range(keeping.MOST_KEPT):
        await town.says("张总", "诉求 停水了")
    assert keys(await town.says("张总", "诉求 停水了")) == [("张总", "joining.kept_enough")]
    assert len(await town.rows("SELECT id FROM kept_messages")) == keeping.MOST_KEPT


@pytest.mark.parametrize("line", ["我的", "进度 1", "日报", "无挂钩", "批准此群", "请假 3", "发布"])
async def test_a_stranger_learns_nothing_but_how_to_bind(town: Town, line: str) -> None:
    assert keys(await town.says("路人", line)) == [("路人", "joining.unknown")]


# Groups ---------------------------------------------------------------------------------------------------------------
async def test_an_unknown_group_asks_the_coordinators_once_and_hears_nothing(town: Town) -> None:
    first = await town.says("张总", "诉求 停电了", group="新群")
    assert keys(first) == [("林晓云", "joining.approve_group")]
    assert await town.says("张总", "有人吗", group="新群") == []
    done = await town.says("林晓云", button=first[0].buttons[0])
    assert sorted(keys(done)) == [("新群", "joining.group_welcome"), ("林晓云", "joining.group_approved")]
    (chat,) = await town.rows("SELECT purpose, approved_at FROM chats WHERE external_id = '新群'")
    assert (chat["purpose"], from_ms(chat["approved_at"])) == ("liaison", NOON)
    again = await town.says("林晓云", button=first[0].buttons[0])
    assert keys(again) == [("林晓云", "joining.approved_before")]
    tied = await town.says("林晓云", "绑定 宏达机械", group="新群")
    assert keys(tied) == [("新群", "joining.group_tied")]
    assert ("王敏", "joining.confirm") in keys(await town.says("张总", "诉求 停电了", group="新群"))


async def test_only_a_coordinator_lets_a_group_in(town: Town) -> None:
    (asked,) = await town.says("张总", "你好", group="新群")
    assert keys(await town.says("王敏", button=asked.buttons[0])) == [("王敏", "refused.not_for_you")]
    assert (await town.says("林晓云", "批准此群"))[0].buttons == asked.buttons


# 无挂钩, 语言 ------------------------------------------------------------------
async def test_firms_without_a_liaison_are_listed_to_the_coordinator_alone(town: Town) -> None:
    assert keys(await town.says("林晓云", "无挂钩")) == [("林晓云", "joining.all_linked")]
    await town.db.transaction(lambda tx: make_enterprise(tx, "新苗装备有限公司"))
    (told,) = await town.says("林晓云", "无挂钩")
    assert (told.facts["count"], told.facts["firms"]) == (1, ["新苗装备 · 大树营片区"])
    assert keys(await town.says("王敏", "无挂钩")) == [("王敏", "refused.not_for_you")]


async def test_a_person_chooses_his_language(town: Town) -> None:
    assert keys(await town.says("王敏", "语言 en")) == [("王敏", "joining.language_en")]
    assert keys(await town.says("王敏", "language 中文")) == [("王敏", "joining.language_zh")]
    assert keys(await town.says("王敏", "语言 法语")) == [("王敏", "joining.language_unknown")]
    (asked,) = await town.says("王敏", "语言")
    assert keys(await town.says("王敏", button=asked.buttons[1])) == [("王敏", "joining.language_en")]


def test_every_verb_of_the_theme_has_its_handler() -> None:
    wanted = {Verb.BIND, Verb.CONFIRM_BINDING, Verb.UNLINKED, Verb.APPROVE_GROUP, Verb.LANGUAGE}
    assert set(joining.COMMANDS) == wanted
