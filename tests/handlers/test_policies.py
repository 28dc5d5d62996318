"""Policies in chat: published from a form, posted once to whom they concern, pressed, reported, found, closing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from domain.chat import Incoming
from domain.people import Purpose, Role
from domain.said import Said, from_facts
from handlers import helping, keeping, policies, raising, undelivered
from handlers.conversation import House, hear
from handlers.router import Router
from storage.database import Database, Tx
from storage.values import from_json, from_ms
from tests.backends import open_house
from tests.making import ZONE, civil, make_department, make_enterprise, make_group, make_person, make_rules
from texts import Catalogue, render

RULES = make_rules()
CATALOGUE = Catalogue.load(strict=True)
COMMANDS = {**raising.COMMANDS, **helping.COMMANDS, **policies.COMMANDS, **undelivered.COMMANDS}
HOUSE = House(RULES, CATALOGUE.words(), ("联企",), Router(COMMANDS, keeping.keep))
FORM = """标题：设备更新补助开始申报
文号：园管发〔2026〕4号
正文：去年买新设备满100万元，可按10%申请补助。
链接：https://park.example.cn/zc/4
对象：行业=机械
申报条件：发票在2025年内
申报时间：3月16日至4月15日
受理地址：政务大厅3号窗口
咨询电话：0738-1234567
材料：发票、照片"""


@dataclass(frozen=True)
class Line:
    """One message that is owed, in the words of its listener."""

    chat: str
    key: str
    facts: dict[str, Any]
    buttons: dict[str, str]
    text: str
    due: datetime
    id: int


@dataclass
class Town:
    """Two machine makers (one without a group) and a food firm; 周芳 coordinates, 王敏 is everybody's liaison."""

    db: Database
    now: datetime = field(default_factory=lambda: civil("2026-03-11 10:00"))
    ids: dict[str, int] = field(default_factory=dict)
    seen: int = 0
    count: int = 0

    async def says(
        self,
        who: str,
        text: str = "",
        *,
        group: str = "",
        button: str = "",
        reply_to: str | None = None,
        calls_only: bool = False,
    ) -> list[Line]:
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
            reply_to=reply_to,
            addressed=bool(group),
            chat_name=group,
            calls_only=calls_only,
        )
        await self.db.transaction(lambda tx: hear(tx, HOUSE, message, self.now))
        return await self.owed()

    async def ring(self, at: str = "") -> list[Line]:
        """The clock: every job works off what is due, until nothing is."""
        self.now = civil(at) if at else self.now
        for job in policies.JOBS:
            for _ in range(5):
                for key in await self.db.reading(lambda tx, job=job: job.due(tx, RULES, self.now)):  # type: ignore[misc]  # bound now
                    await self.db.transaction(lambda tx, job=job, key=key: job.work(tx, RULES, self.now, key))  # type: ignore[misc]  # bound now
        return await self.owed()

    async def upcoming(self, name: str) -> datetime | None:
        job = next(job for job in policies.JOBS if job.name == name)
        return await self.db.reading(lambda tx: job.upcoming(tx, RULES, self.now))

    async def owed(self) -> list[Line]:
        rows = await self.rows(
            f"""SELECT o.*, c.external_id, c.name AS group_name, p.name AS person FROM outbox o
                JOIN chats c ON c.id = o.chat_id LEFT JOIN accounts a ON a.id = c.account_id
                LEFT JOIN people p ON p.id = a.person_id WHERE o.id > {self.seen} ORDER BY o.id"""
        )
        self.seen = max([self.seen, *(row["id"] for row in rows)])
        return [self.line(row) for row in rows]

    def line(self, row: dict[str, Any]) -> Line:
        facts = from_facts(from_json(row["facts"]))
        assert render(CATALOGUE, Said(row["text_key"], facts), "en", ZONE)
        keys = [key for each in from_json(row["buttons"]) for key in each]
        return Line(
            chat=row["person"] or row["group_name"] or row["external_id"],
            key=row["text_key"],
            facts=dict(facts),
            buttons={label or data.split(":")[0]: data for data, label in keys},
            text=render(CATALOGUE, Said(row["text_key"], facts), "zh", ZONE),
            due=from_ms(row["due_at"]),
            id=row["id"],
        )

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.db.transaction(lambda tx: tx.all(sql))]

    async def run(self, sql: str) -> None:
        await self.db.transaction(lambda tx: tx.run(sql))

    async def publish(self, form: str = FORM) -> list[Line]:
        await self.says("周芳", f"发布\n{form}")
        return await self.says("周芳", button="confirm::")

    async def posted(self, form: str = FORM) -> list[Line]:
        """Published, posted and arrived."""
        await self.publish(form)
        lines = await self.ring()
        await self.run("UPDATE outbox SET state = 'sent', platform_id = 'm' || id WHERE text_key = 'policy.notice'")
        return lines


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    database = await open_house("sqlite:///:memory:")
    town = Town(database)

    async def unit(tx: Tx) -> None:
        await make_department(tx)
        town.ids["周芳"] = await make_person(tx, "周芳", Role.COORDINATOR)
        town.ids["王敏"] = wang = await make_person(tx, "王敏", Role.LIAISON)
        firms = {"张总": ("宏达机械", "机械"), "刘总": ("长城机械", "机械"), "陈总": ("和顺食品", "食品")}
        for name, (firm, industry) in firms.items():
            town.ids[name] = await make_person(tx, name, Role.CONTACT)
            columns = {"industry": industry, "liaison_id": wang}
            town.ids[firm] = await make_enterprise(tx, f"{firm}有限公司", town.ids[name], **columns)
        town.ids["何会计"] = mute = await make_person(tx, "何会计", Role.CONTACT, chat=False)
        await tx.run(
            "INSERT INTO contacts(enterprise_id, person_id) VALUES (:firm, :person)",
            {"firm": town.ids["宏达机械"], "person": mute},
        )
        await make_group(tx, Purpose.LIAISON, town.ids["宏达机械"], town.ids["和顺食品"], name="大树营群")
        await make_group(tx, Purpose.LIAISON, town.ids["和顺食品"], name="食品群")
        await make_group(tx, Purpose.COORDINATION, name="调度群")
        await tx.run("UPDATE chats SET external_id = name WHERE private = 0")

    await database.transaction(unit)
    yield town
    await database.close()


def told(lines: list[Line]) -> list[tuple[str, str]]:
    return [(line.chat, line.key) for line in lines]


# Publishing ---------------------------------------------------------------------------------------------------------
async def test_a_bare_publish_answers_with_the_form_and_takes_the_next_answer(town: Town) -> None:
    assert told(await town.says("周芳", "发布")) == [("周芳", "policy.form")]
    assert told(await town.says("周芳", FORM)) == [("周芳", "policy.preview")]


async def test_the_copied_form_filled_below_its_own_heading_is_understood(town: Town) -> None:
    (form,) = await town.says("周芳", "发布")
    filled = form.text.replace("标题：", "标题：甲").replace("正文：", "正文：乙")
    assert told(await town.says("周芳", filled)) == [("周芳", "policy.preview")]


async def test_the_preview_shows_the_notice_as_groups_will_see_it_and_whom_it_reaches(town: Town) -> None:
    (preview,) = await town.says("周芳", f"发布\n{FORM}")
    assert list(preview.buttons) == ["confirm", "cancel"]
    assert (preview.facts["groups"], preview.facts["firms"], preview.facts["privately"]) == (1, 2, 1)
    assert await town.rows("SELECT * FROM policies") == []
    await town.says("周芳", button="confirm::")
    notices = await town.ring()
    assert preview.text.startswith(notices[0].text + "\n———\n")


async def test_confirmed_it_is_posted_once_to_each_group_and_lonely_contact_that_it_concerns(town: Town) -> None:
    assert told(await town.publish()) == [("周芳", "policy.released")]
    lines = await town.ring()
    assert told(lines) == [("大树营群", "policy.notice"), ("刘总", "policy.notice")]
    assert list(lines[0].buttons) == ["known", "unclear", "out_of_reach", "want", "original"]
    assert lines[0].buttons["want"] == "want:::p1"
    assert await town.ring() == []
    rows = await town.rows("SELECT dedupe_key, lane FROM outbox WHERE text_key = 'policy.notice'")
    assert [row["dedupe_key"].rpartition(":")[0] for row in rows] == ["policy:1", "policy:1"]
    assert {row["lane"] for row in rows} == {3}


async def test_typed_confirmation_does_what_the_button_does(town: Town) -> None:
    await town.says("周芳", f"发布\n{FORM}")
    assert told(await town.says("周芳", "确认")) == [("周芳", "policy.released")]


async def test_cancelled_nothing_stays(town: Town) -> None:
    await town.says("周芳", f"发布\n{FORM}")
    await town.says("周芳", button="cancel::")
    await town.says("周芳", button="confirm::")
    assert await town.rows("SELECT * FROM policies") == []


async def test_faults_are_named_at_once_and_one_line_mends_one(town: Town) -> None:
    (faults,) = await town.says("周芳", "发布\n标题：甲\n链接：park.cn\n申报时间：改天")
    assert [fault.key for fault in faults.facts["faults"]] == [
        "policy.fault_missing",
        "policy.fault_url",
        "policy.fault_window",
    ]
    (faults,) = await town.says("周芳", "正文：乙\n链接：https://park.cn")
    assert [fault.key for fault in faults.facts["faults"]] == ["policy.fault_window"]
    (preview,) = await town.says("周芳", "申报时间：长期")
    assert preview.key == "policy.preview"
    assert "甲" in preview.text


async def test_a_line_sent_under_the_preview_changes_it(town: Town) -> None:
    await town.says("周芳", f"发布\n{FORM}")
    (preview,) = await town.says("周芳", "标题：新标题")
    assert "【惠企政策】新标题" in preview.text
    await town.says("周芳", button="confirm::")
    assert [row["title"] for row in await town.rows("SELECT title FROM policies")] == ["新标题"]


@pytest.mark.parametrize(
    "audience,fault", [("行业=机戒", "policy.fault_value"), ("行业=食品；行业=食品;规模=规上", "policy.fault_value")]
)
async def test_an_audience_that_fits_no_firm_is_a_slip(town: Town, audience: str, fault: str) -> None:
    (faults,) = await town.says("周芳", f"发布\n标题：甲\n正文：乙\n对象：{audience}")
    assert [each.key for each in faults.facts["faults"]] == [fault]


async def test_facets_that_no_firm_meets_together_are_a_slip_too(town: Town) -> None:
    await town.run("UPDATE enterprises SET size = '规上' WHERE industry = '食品'")
    (faults,) = await town.says("周芳", "发布\n标题：甲\n正文：乙\n对象：行业=机械；规模=规上")
    assert [each.key for each in faults.facts["faults"]] == ["policy.fault_nobody"]


async def test_the_same_title_and_number_are_refused_with_the_first_ones_date(town: Town) -> None:
    await town.posted()
    (refused,) = await town.says("周芳", f"发布\n{FORM}")
    assert refused.key == "policy.published_before"
    assert "3月11日（周三）10:00" in refused.text


async def test_only_a_coordinator_publishes_and_not_among_firms(town: Town) -> None:
    assert told(await town.says("王敏", f"发布\n{FORM}")) == [("王敏", "refused.not_for_you")]
    assert told(await town.says("周芳", f"发布\n{FORM}", group="大树营群")) == [("大树营群", "policy.not_here")]
    (preview,) = await town.says("周芳", f"发布\n{FORM}", group="调度群")
    assert list(preview.buttons) == ["confirm", "cancel"]
    assert "设备更新补助开始申报" in preview.text


# When it leaves -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "now,asked,leaves",
    [
        ("2026-03-11 10:00", "3月12日 9:00", "2026-03-12 09:00"),
        ("2026-03-11 10:00", "3月12日 12:30", "2026-03-12 14:00"),
        ("2026-03-11 10:00", "3月12日 22:00", "2026-03-13 08:30"),
        ("2026-03-11 10:00", "3月14日 10:00", "2026-03-16 08:30"),
        ("2026-03-11 20:00", "立即", "2026-03-12 08:30"),
        ("2026-03-11 10:00", "3月12日", "2026-03-12 08:30"),
    ],
)
async def test_a_notice_waits_for_its_hour_and_never_leaves_in_quiet_time(
    town: Town, now: str, asked: str, leaves: str
) -> None:
    town.now = civil(now)
    (preview,) = await town.says("周芳", f"发布\n标题：甲\n正文：乙\n发布时间：{asked}")
    (done,) = await town.says("周芳", button="confirm::")
    assert done.key == "policy.scheduled"
    assert (preview.facts["moved"] is None) is (asked == "3月12日 9:00")
    assert await town.ring() == []
    assert await town.upcoming("policies") == civil(leaves)
    assert [line.key for line in await town.ring(leaves)] == ["policy.notice"] * 3


async def test_tomorrow_is_counted_from_when_it_was_written(town: Town) -> None:
    town.now = civil("2026-03-11 23:50")
    await town.says("周芳", "发布\n标题：甲\n正文：乙\n发布时间：明天 9:00")
    town.now = civil("2026-03-12 00:05")
    (done,) = await town.says("周芳", button="confirm::")
    assert done.facts["post_at"] == civil("2026-03-12 09:00")


async def test_after_a_down_time_the_notice_waits_for_the_morning(town: Town) -> None:
    await town.publish(FORM + "\n发布时间：3月12日 17:00")
    assert await town.ring("2026-03-12 22:00") == []
    assert await town.upcoming("policies") == civil("2026-03-13 08:30")
    assert len(await town.ring("2026-03-13 08:30")) == 2


async def test_a_waiting_notice_can_be_stopped_and_one_that_is_out_cannot(town: Town) -> None:
    await town.publish(FORM + "\n发布时间：3月12日 9:00")
    assert told(await town.says("周芳", "发布 停发 1")) == [("周芳", "policy.stopped")]
    assert await town.ring("2026-03-12 09:00") == []
    await town.posted()
    assert told(await town.says("周芳", "发布 停发 2")) == [("周芳", "policy.gone_out")]


async def test_a_notice_that_some_have_already_cannot_be_stopped(town: Town) -> None:
    await town.publish()
    job = policies.JOBS[0]
    key = (await town.db.reading(lambda tx: job.due(tx, RULES, town.now)))[0]
    await town.db.transaction(lambda tx: job.work(tx, RULES, town.now, key))
    assert told(await town.says("周芳", "发布 停发"))[-1] == ("周芳", "policy.gone_out")


# How it went --------------------------------------------------------------------------------------------------------
async def test_the_publisher_gets_one_report_when_every_post_has_an_outcome(town: Town) -> None:
    await town.publish()
    await town.ring()
    await town.run("UPDATE outbox SET state = 'sent' WHERE text_key = 'policy.notice' AND person_id IS NULL")
    assert await town.ring() == []
    await town.run("UPDATE outbox SET state = 'uncertain' WHERE text_key = 'policy.notice' AND state = 'pending'")
    await town.says("张总", button="known:::p1")
    (report,) = await town.ring()
    assert (report.chat, report.key) == ("周芳", "policy.report")
    assert "已送达：1个群，0人私信" in report.text
    assert "不确定是否送到：1处，刘总" in report.text
    assert "已知晓1｜看不懂0" in report.text
    assert report.buttons == {"resend": "resend:::p1"}
    assert await town.ring() == []
    assert told(await town.says("周芳", "发布 报告 1")) == [("周芳", "policy.report")]
    assert told(await town.says("周芳", "发布 报告")) == [("周芳", "policy.report")]


async def test_what_did_not_arrive_is_sent_again_once_and_reported_again(town: Town) -> None:
    await town.posted()
    await town.run("UPDATE outbox SET state = 'dead' WHERE text_key = 'policy.notice'")
    (report,) = await town.ring()
    assert "没有送到：2处，大树营群、刘总" in report.text
    again = await town.says("周芳", button=report.buttons["大树营群"])
    assert told(again) == [("大树营群", "policy.notice"), ("周芳", "policy.resent")]
    assert told(await town.says("周芳", button=report.buttons["大树营群"])) == [("周芳", "policy.nothing_to_resend")]
    left = await town.rows("SELECT state FROM outbox WHERE text_key = 'policy.notice' ORDER BY id")
    assert [row["state"] for row in left].count("dead") == 1  # what was replaced is listed nowhere any more
    assert await town.ring() == []
    await town.run(f"UPDATE outbox SET state = 'sent' WHERE id = {again[0].id}")
    (report,) = await town.ring()
    assert report.key == "policy.report"
    assert "没有送到：1处，刘总" in report.text
    assert told(await town.says("周芳", "补发 1"))[0] == ("刘总", "policy.notice")


async def test_a_notice_sent_again_from_the_list_of_what_did_not_arrive_is_reported_on_again(town: Town) -> None:
    await town.posted()
    await town.run("UPDATE outbox SET state = 'uncertain' WHERE text_key = 'policy.notice'")
    await town.ring()
    said = await town.says("周芳", "未送达")
    assert [line.key for line in said] == ["undelivered.list"]
    assert ("周芳", "undelivered.resent") in told(await town.says("周芳", button="resend:::x"))
    await town.run("UPDATE outbox SET state = 'sent' WHERE text_key = 'policy.notice'")
    (report,) = await town.ring()
    assert report.key == "policy.report"
    assert "不确定是否送到" not in report.text


async def test_nobody_else_resends(town: Town) -> None:
    await town.posted()
    assert told(await town.says("张总", button="resend:::p1")) == [("张总", "refused.not_for_you")]


async def test_history_tells_what_became_of_a_notice(town: Town) -> None:
    await town.posted()
    await town.says("张总", button="want:::p1")
    events = await town.rows("SELECT name, actor_id FROM events WHERE subject = 'policy:1' ORDER BY id")
    zhou, zhang = town.ids["周芳"], town.ids["张总"]
    assert [(event["name"], event["actor_id"]) for event in events] == [
        ("publish", zhou),
        ("posted", None),
        ("want", zhang),
    ]


# Presses ------------------------------------------------------------------------------------------------------------
async def test_a_press_in_a_group_is_answered_privately_and_the_group_is_not_flooded(town: Town) -> None:
    await town.posted()
    await town.ring()
    assert told(await town.says("张总", button="known:::p1", group="大树营群")) == [("张总", "policy.known")]


async def test_without_a_private_chat_a_press_in_a_group_is_answered_shortly_in_place(town: Town) -> None:
    await town.posted()
    await town.ring()
    (line,) = await town.says("何会计", button="known:::p1", group="大树营群")
    assert (line.chat, line.text) == ("大树营群", "何会计，已记下。")
    (line,) = await town.says("何会计", button="want:::p1", group="大树营群")
    assert (line.chat, line.key) == ("大树营群", "policy.want_short")


async def test_an_unbound_guest_is_told_how_to_bind(town: Town) -> None:
    await town.posted()
    await town.ring()
    assert told(await town.says("路人", button="want:::p1", group="大树营群")) == [("大树营群", "joining.unknown")]
    assert await town.rows("SELECT * FROM policy_presses") == []


async def test_unclear_asks_privately_and_files_an_inquiry_that_names_the_policy(town: Town) -> None:
    await town.posted()
    await town.ring()
    assert told(await town.says("张总", button="unclear:::p1", group="大树营群")) == [("张总", "policy.ask_unclear")]
    assert [row["verb"] for row in await town.rows("SELECT verb FROM policy_presses")] == ["unclear"]
    lines = await town.says("张总", "二手设备算不算新设备")
    assert "#1" in lines[-1].text
    (appeal,) = await town.rows("SELECT kind, title, enterprise_id FROM appeals")
    assert appeal == {"kind": "inquiry", "title": "二手设备算不算新设备", "enterprise_id": town.ids["宏达机械"]}
    (words,) = await town.rows(
        "SELECT t.body FROM event_texts t JOIN events e ON e.id = t.event_id WHERE e.name = 'file'"
    )
    assert words["body"] == "二手设备算不算新设备\n《设备更新补助开始申报》园管发〔2026〕4号"


async def test_unclear_in_a_group_without_a_private_chat_takes_the_reply_there(town: Town) -> None:
    await town.posted()
    await town.ring()
    (ask,) = await town.says("何会计", button="unclear:::p1", group="大树营群")
    assert ask.text.endswith("请直接回复本条。")
    await town.says("何会计", "二手设备算不算", group="大树营群")
    assert [row["kind"] for row in await town.rows("SELECT kind FROM appeals")] == ["inquiry"]


async def test_a_group_that_brings_only_calls_is_told_to_call_in_the_answer(town: Town) -> None:
    await town.posted()
    await town.ring()
    (ask,) = await town.says("何会计", button="unclear:::p1", group="大树营群", calls_only=True)
    assert ask.text.endswith("请 @ 我再回答，不 @ 我收不到。")


async def test_out_of_reach_asks_why_and_files_it_as_a_suggestion(town: Town) -> None:
    await town.posted()
    assert told(await town.says("张总", button="out_of_reach:::p1"))[-1] == ("张总", "policy.ask_out_of_reach")
    await town.says("张总", "我们规模不够")
    assert [row["kind"] for row in await town.rows("SELECT kind FROM appeals")] == ["suggestion"]


async def test_a_contact_of_two_firms_says_for_which_one_he_asks(town: Town) -> None:
    firms = (town.ids["长城机械"], town.ids["张总"])
    await town.run(f"INSERT INTO contacts(enterprise_id, person_id) VALUES {firms}")
    await town.posted()
    await town.posted("标题：另一份\n正文：乙")
    await town.ring()
    await town.says("张总", button="unclear:::p1")
    (ask,) = await town.says("张总", "二手设备算不算")
    assert ask.key == "ask.which_firm"
    await town.says("张总", button=ask.buttons["长城机械"])
    (appeal,) = await town.rows("SELECT enterprise_id, title FROM appeals")
    assert appeal == {"enterprise_id": town.ids["长城机械"], "title": "二手设备算不算"}


async def test_want_tells_what_is_needed_and_counts_once(town: Town) -> None:
    await town.posted()
    await town.ring()
    (line,) = await town.says("张总", button="want:::p1", group="大树营群")
    for needed in ("发票在2025年内", "发票、照片", "3月16日至4月15日", "政务大厅3号窗口", "0738-1234567"):
        assert needed in line.text
    await town.says("张总", button="want:::p1")
    assert len(await town.rows("SELECT * FROM policy_presses")) == 1


async def test_original_gives_the_link(town: Town) -> None:
    await town.posted()
    await town.ring()
    (line,) = await town.says("张总", button="original:::p1")
    assert "https://park.example.cn/zc/4" in line.text


async def test_words_typed_under_a_notice_mean_that_notice(town: Town) -> None:
    await town.posted()
    await town.posted("标题：另一份\n正文：乙")
    await town.ring()
    first = (await town.rows("SELECT platform_id FROM outbox WHERE text_key = 'policy.notice' ORDER BY id"))[0]
    await town.says("张总", "已知晓", group="大树营群", reply_to=first["platform_id"])
    assert [row["policy_id"] for row in await town.rows("SELECT policy_id FROM policy_presses")] == [1]
    await town.says("张总", "看不懂", group="大树营群")
    assert [row["policy_id"] for row in await town.rows("SELECT policy_id FROM policy_presses")] == [1, 2]


async def test_typed_privately_with_several_notices_one_is_picked_and_the_words_come_along(town: Town) -> None:
    await town.posted()
    await town.posted("标题：另一份\n正文：乙")
    await town.ring()
    (ask,) = await town.says("张总", "看不懂 二手设备算不算")
    assert list(ask.buttons) == ["另一份", "设备更新补助开始申报"]
    await town.says("张总", button=ask.buttons["另一份"])
    (appeal,) = await town.rows("SELECT title FROM appeals")
    assert appeal["title"] == "二手设备算不算"
    assert [row["policy_id"] for row in await town.rows("SELECT policy_id FROM policy_presses")] == [2]


async def test_a_notice_that_is_not_out_cannot_be_pressed_or_looked_up(town: Town) -> None:
    await town.publish(FORM + "\n发布时间：3月12日 9:00")
    for button in ("want:::p1", "known:::p99", "policy:::p1"):
        assert told(await town.says("张总", button=button)) == [("张总", "policy.not_found")]
    assert told(await town.says("张总", "政策 设备")) == [("张总", "policy.none_found")]


# Looking up ---------------------------------------------------------------------------------------------------------
async def test_policies_are_found_with_number_and_closing_day_and_opened_by_their_title(town: Town) -> None:
    await town.posted()
    await town.posted("标题：用电补贴\n正文：按用电量补贴\n申报时间：至3月12日")
    await town.ring()
    (found,) = await town.says("张总", "政策 设备补助")
    assert "· 设备更新补助开始申报（园管发〔2026〕4号），4月15日（周三）截止" in found.text
    (notice,) = await town.says("张总", button=found.buttons["设备更新补助开始申报"])
    assert (notice.key, len(notice.buttons)) == ("policy.notice", 5)
    town.now = civil("2026-03-13 10:00")
    (newest,) = await town.says("张总", "政策", group="大树营群")
    assert "用电补贴，已于2026年3月12日截止" in newest.text


async def test_a_stranger_is_told_how_to_bind_before_he_looks_anything_up(town: Town) -> None:
    await town.posted()
    await town.ring()
    assert [line.key for line in await town.says("路人", "政策 设备")] == ["joining.unknown"]


# Before it closes ---------------------------------------------------------------------------------------------------
async def test_who_wants_to_apply_is_reminded_once_three_working_days_before_at_the_digests_hour(town: Town) -> None:
    await town.posted()
    await town.ring()
    await town.says("张总", button="want:::p1")
    assert await town.upcoming("policy_closing") == civil("2026-04-10 08:30")
    assert await town.ring("2026-04-10 08:29") == []
    (line,) = await town.ring("2026-04-10 08:30")
    assert (line.chat, line.key) == ("张总", "policy.closing")
    assert line.text.startswith("您想申报的《设备更新补助开始申报》4月15日（周三）截止。")
    assert await town.ring("2026-04-10 08:35") == []
    assert await town.upcoming("policy_closing") is None


async def test_nobody_is_reminded_of_a_window_that_has_closed_or_that_he_learned_of_in_time(town: Town) -> None:
    await town.posted()
    await town.ring()
    await town.says("张总", button="want:::p1")
    town.now = civil("2026-04-13 10:00")
    await town.says("刘总", button="want:::p1")
    await town.run("DELETE FROM policy_presses WHERE person_id = (SELECT MIN(person_id) FROM policy_presses)")
    assert await town.ring("2026-04-14 08:30") == []
    assert await town.ring("2026-04-16 08:30") == []


async def test_a_down_time_until_after_the_last_day_reminds_nobody(town: Town) -> None:
    await town.posted()
    await town.ring()
    await town.says("张总", button="want:::p1")
    assert await town.ring("2026-04-16 08:30") == []


async def test_the_liaison_is_asked_to_call_whom_no_chat_reaches(town: Town) -> None:
    await town.posted()
    await town.ring()
    await town.says("何会计", button="want:::p1", group="大树营群")
    (line,) = await town.ring("2026-04-10 08:30")
    assert (line.chat, line.key) == ("王敏", "policy.call_closing")
    assert "何会计" in line.text
