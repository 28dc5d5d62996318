"""Policy notices in storage: once each, to whom they go, what was pressed, and how they are found again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from domain.people import Purpose, Role
from domain.policy import Audience, Content, Policy, State
from domain.verbs import Verb
from storage import outbox, policies, policy_posts
from storage.database import Database, Tx
from storage.policy_posts import Outcome
from tests.backends import open_house
from tests.making import civil, make_enterprise, make_group, make_person, private_chat_of

AT = civil("2026-03-11 10:00")


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    database = await open_house("sqlite:///:memory:")
    yield database
    await database.close()


async def release(tx: Tx, title: str, body: str = "正文", *, out: bool = True, **more: object) -> Policy:
    publisher = await make_person(tx, f"周芳{title}", Role.COORDINATOR)
    content = Content(title=title, body=body, **more)  # type: ignore[arg-type]  # the fields of a Content
    policy = await policies.schedule(tx, content, by=publisher, at=AT, post_at=AT)
    assert policy is not None
    if out:
        assert await policies.move(tx, policy.id, State.SCHEDULED, State.POSTED)
    return policy


async def test_a_notice_comes_back_as_it_was_released(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        content = Content(
            title="设备补助",
            body="正文",
            doc_no="园〔2026〕4号",
            url="https://a.cn",
            audience=Audience(("机械",), (), ("大树营",), (), "园区企业"),
            fields={"phone": "123"},
            closes_on=date(2026, 4, 15),
        )
        publisher = await make_person(tx, "周芳", Role.COORDINATOR)
        policy = await policies.schedule(tx, content, by=publisher, at=AT, post_at=AT)
        assert policy is not None
        assert await policies.by_id(tx, policy.id) == policy
        assert (policy.content, policy.state, policy.post_at) == (content, State.SCHEDULED, AT)

    await db.transaction(unit)


async def test_the_same_title_and_number_stand_once_until_the_first_is_stopped(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        first = await release(tx, "甲", out=False)
        again = await policies.schedule(tx, first.content, by=first.published_by, at=AT, post_at=AT)
        assert again is None
        assert await policies.like(tx, first.content) == first
        await policies.move(tx, first.id, State.SCHEDULED, State.STOPPED)
        assert await policies.like(tx, first.content) is None
        assert await policies.schedule(tx, first.content, by=first.published_by, at=AT, post_at=AT) is not None

    await db.transaction(unit)


async def test_a_group_with_one_matching_firm_hears_and_firms_without_a_group_hear_privately(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        zhang, chen, liu = [await make_person(tx, name, Role.CONTACT) for name in ("张总", "陈总", "刘总")]
        mute = await make_person(tx, "何总", Role.CONTACT, chat=False)
        machines = await make_enterprise(tx, "宏达机械有限公司", zhang, industry="机械")
        food = await make_enterprise(tx, "和顺食品有限公司", chen, industry="食品")
        second = await make_enterprise(tx, "长城机械有限公司", liu, industry="机械")
        silent = await make_enterprise(tx, "无声机械有限公司", mute, industry="机械")
        both = await make_group(tx, Purpose.LIAISON, machines, food, name="两家")
        await make_group(tx, Purpose.LIAISON, food, name="食品")
        await make_group(tx, Purpose.LIAISON, second, name="未批准", approved_at=None)
        await make_group(tx, Purpose.BANK, second, name="银企")
        found = await policy_posts.reach(tx, Audience(industries=("机械",)))
        assert found.groups == (both,)
        assert found.privately == (await private_chat_of(tx, liu),)
        assert found.firms == (machines, second, silent)
        assert found.unreached == ("无声机械",)

    await db.transaction(unit)


async def test_a_group_without_firms_stands_for_its_zone_or_for_everybody(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        await make_enterprise(tx, "宏达机械有限公司", zone="大树营片区")
        await make_enterprise(tx, "和顺物流有限公司", zone="河西片区")
        zone = await make_group(tx, Purpose.LIAISON, name="大树营")
        everybody = await make_group(tx, Purpose.LIAISON, name="全园区")
        await tx.run("UPDATE chats SET zone = '大树营片区' WHERE id = :id", {"id": zone})
        assert (await policy_posts.reach(tx, Audience(zones=("大树营",)))).groups == (zone,)
        assert (await policy_posts.reach(tx, Audience(zones=("河西",)))).groups == ()
        assert (await policy_posts.reach(tx, Audience())).groups == (zone, everybody)

    await db.transaction(unit)


async def test_a_contact_with_two_chats_and_two_firms_hears_once_where_he_spoke_last(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        zhang = await make_person(tx, "张总", Role.CONTACT)
        for name in ("甲有限公司", "乙有限公司"):
            await make_enterprise(tx, name, zhang)
        await tx.run(
            """INSERT INTO chats(channel, external_id, private, account_id, heard_at)
               SELECT 'memory', 'other', 1, id, 5 FROM accounts WHERE person_id = :id""",
            {"id": zhang},
        )
        row = await tx.one("SELECT id FROM chats WHERE external_id = 'other'")
        assert row is not None
        assert (await policy_posts.reach(tx, Audience())).privately == (row["id"],)

    await db.transaction(unit)


async def test_a_second_post_of_a_notice_in_a_chat_is_impossible(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        policy = await release(tx, "甲")
        chat = await make_group(tx, Purpose.LIAISON)
        row = await outbox.owe(tx, outbox.Letter(chat, "policy.notice"), at=AT)
        assert row is not None
        await policy_posts.keep(tx, policy.id, chat, row)
        with pytest.raises(Exception, match="UNIQUE"):
            async with tx.savepoint():
                await policy_posts.keep(tx, policy.id, chat, row)
        assert await policy_posts.posted_to(tx, policy.id) == {chat}

    await db.transaction(unit)


@pytest.mark.parametrize(
    "state,outcome,settled",
    [
        ("pending", Outcome.WAITING, False),
        ("sending", Outcome.WAITING, False),
        ("sent", Outcome.SENT, True),
        ("uncertain", Outcome.UNCERTAIN, True),
        ("dead", Outcome.FAILED, True),
        ("superseded", Outcome.FAILED, True),
    ],
)
async def test_a_notice_is_settled_when_every_post_has_an_outcome(
    db: Database, state: str, outcome: Outcome, settled: bool
) -> None:
    async def unit(tx: Tx) -> None:
        policy = await release(tx, "甲")
        chat = await make_group(tx, Purpose.LIAISON, name="大树营联企群")
        row = await outbox.owe(tx, outbox.Letter(chat, "policy.notice"), at=AT)
        assert row is not None
        await policy_posts.keep(tx, policy.id, chat, row)
        await tx.run("UPDATE outbox SET state = :state, platform_id = 'm1'", {"state": state})
        (post,) = await policy_posts.posts(tx, policy.id)
        assert (post.outcome, post.name, post.private) == (outcome, "大树营联企群", False)
        assert (policy.id in await policy_posts.settled(tx)) is settled
        assert await policy_posts.of_message(tx, chat, "m1") == policy.id
        assert await policy_posts.of_message(tx, chat, "m2") is None

    await db.transaction(unit)


async def test_a_press_counts_once_a_person_and_button(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        policy = await release(tx, "甲")
        one, two = await make_person(tx, "张总"), await make_person(tx, "陈总")
        pressed = [(one, Verb.KNOWN), (one, Verb.KNOWN), (two, Verb.KNOWN), (one, Verb.WANT)]
        news = [await policies.press(tx, policy.id, person, verb, AT) for person, verb in pressed]
        assert news == [True, False, True, True]
        assert await policies.presses(tx, policy.id) == {Verb.KNOWN: 2, Verb.WANT: 1}

    await db.transaction(unit)


async def test_who_wants_to_apply_is_reminded_once_and_only_while_the_window_is_open(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        policy = await release(tx, "甲", closes_on=date(2026, 4, 15))
        await release(tx, "乙")
        one = await make_person(tx, "张总")
        await policies.press(tx, policy.id, one, Verb.WANT, AT)
        await policies.press(tx, policy.id, one, Verb.KNOWN, AT)
        found = await policies.to_remind(tx, date(2026, 4, 15))
        assert [(each.id, person, at) for each, person, at in found] == [(policy.id, one, AT)]
        assert await policies.to_remind(tx, date(2026, 4, 16)) == []
        assert await policies.remind(tx, policy.id, one, AT)
        assert not await policies.remind(tx, policy.id, one, AT)
        assert await policies.to_remind(tx, date(2026, 4, 1)) == []

    await db.transaction(unit)


async def test_search_ranks_by_rare_words_and_titles_and_shows_what_went_out_only(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        power = await release(tx, "企业用电补贴申报", "对用电企业给予补贴")
        device = await release(tx, "设备更新补贴", "顺带说明：用电设备也算", fields={"materials": "发票、照片"})
        tax = await release(tx, "研发费用加计扣除", doc_no="税〔2026〕7号")
        await release(tx, "用电秘密", out=False)
        for number in range(6):
            await release(tx, f"其他补贴{number}")

        async def found(words: str) -> list[int]:
            return [policy.id for policy in await policies.search(tx, words, 5)]

        assert await found("用电") == [power.id, device.id]
        assert (await found("用电补贴怎么申请"))[0] == power.id
        assert await found("发票") == [device.id]
        assert await found("税〔2026〕7号") == [tax.id]
        assert await found("扣") == [tax.id]
        assert await found("没有这个") == []
        assert await found("？！") == []
        assert len(await found("补贴")) == 5

    await db.transaction(unit)


async def test_the_newest_notices_come_first(db: Database) -> None:
    async def unit(tx: Tx) -> None:
        ids = [(await release(tx, title)).id for title in "甲乙丙"]
        assert [policy.id for policy in await policies.newest(tx, 2)] == [ids[2], ids[1]]

    await db.transaction(unit)
