"""What happens to groups on Telegram: let in, put out, hearing little, moving, full of the unnamed, cut into topics."""

from collections.abc import AsyncIterator

import pytest

from domain.people import Purpose
from domain.roster import GroupEntry, Roster
from storage import roster
from tests.emulators.telegram import Chat
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said

BOSS, LIAISON, OFFICE = "张建国", "王敏", "周芳"
GROUP, MULTI, DESK, NEW = "宏达机械联企群", "大树营联企群", "优化办调度群", "新群"
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        await opened.settle()
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


def new_group(town: TelegramTown, bot: str = "left", chat_id: int = -1002222) -> Chat:
    town.groups[NEW] = town.emulator.group(chat_id, NEW, bot=bot)
    return town.groups[NEW]


# Let in, put out ------------------------------------------------------------------------------------------------------
async def test_an_unknown_group_is_asked_about_once_and_answers_once_it_is_let_in(town: TelegramTown) -> None:
    await town.emulator.adds_bot(town.users[BOSS], new_group(town), as_admin=True)
    said = await town.settle()
    assert told(said, OFFICE) == ["joining.approve_group"]
    assert NEW in said[0].text
    assert await town.says(BOSS, "/appeal 停电", where=NEW) == []
    await town.emulator.promotes_bot(town.users[BOSS], town.groups[NEW], to="member")
    assert await town.settle() == []
    await town.emulator.promotes_bot(town.users[BOSS], town.groups[NEW])
    assert await town.settle() == []
    said = await town.presses(OFFICE, "批准此群")
    assert told(said, NEW) == ["joining.group_welcome"]
    assert told(await town.says(BOSS, "/appeal 停电", where=NEW), NEW) == ["appeal.filed"]


async def test_what_is_said_among_people_is_not_kept(town: TelegramTown) -> None:
    new_group(town, bot="administrator")
    await town.says(BOSS, "我们自己聊聊", where=NEW)
    await town.says(BOSS, "今晚一起吃饭", where=GROUP)
    await town.says(BOSS, "催办", where=GROUP)  # there is nothing that could be meant
    await town.says(BOSS, "/诉求 停电", where=GROUP)
    bodies = [row["body"] for row in await town.all("SELECT body FROM inbox ORDER BY id")]
    assert [body == "{}" for body in bodies] == [True, True, True, False]


async def test_where_the_bot_hears_little_group_and_office_are_told_what_to_press(town: TelegramTown) -> None:
    town.emulator.core.privacy = True
    await town.restart()
    await town.emulator.adds_bot(town.users[BOSS], new_group(town))
    await town.settle()
    said = await town.presses(OFFICE, "批准此群")
    assert told(said, NEW) == ["joining.group_welcome", "places.hears_little_here"]
    assert told(said, OFFICE) == ["joining.group_approved", "places.hears_little"]
    assert all("管理员" in line.text for line in said if "hears_little" in line.key)
    assert await town.says(BOSS, "诉求 停电", where=NEW) == []
    assert told(await town.says(BOSS, "/appeal@lianqi_bot 停电", where=NEW), NEW) == ["appeal.filed"]
    await town.emulator.promotes_bot(town.users[BOSS], town.groups[NEW])
    said = await town.settle()
    assert told(said, OFFICE) == ["places.hears_all"]
    assert told(await town.says(BOSS, "诉求 又停电", where=NEW), NEW) == ["appeal.filed"]
    await town.emulator.promotes_bot(town.users[BOSS], town.groups[NEW], to="member")
    assert told(await town.settle(), OFFICE) == ["places.hears_little"]


async def test_put_out_of_a_group_the_office_hears_so_and_let_in_again_all_goes_on(town: TelegramTown) -> None:
    await town.emulator.removes_bot(town.users[BOSS], town.groups[GROUP])
    said = await town.settle()
    assert told(said, OFFICE) == ["places.removed"]
    assert GROUP in said[0].text
    await town.emulator.adds_bot(town.users[BOSS], town.groups[GROUP], as_admin=True)
    assert await town.settle() == []
    assert told(await town.says(BOSS, "诉求 停电", where=GROUP), GROUP) == ["appeal.filed"]


async def test_a_group_that_was_never_let_in_may_put_the_bot_out_without_a_word(town: TelegramTown) -> None:
    await town.emulator.adds_bot(town.users[BOSS], new_group(town))
    await town.settle()
    await town.emulator.removes_bot(town.users[BOSS], town.groups[NEW])
    assert await town.settle() == []


async def test_a_group_goes_by_its_new_name(town: TelegramTown) -> None:
    await town.emulator.renames(town.groups[GROUP], "宏达大群")
    assert await town.settle() == []
    await town.emulator.removes_bot(town.users[BOSS], town.groups[GROUP])
    assert "宏达大群" in (await town.settle())[0].text


# Moving ---------------------------------------------------------------------------------------------------------------
async def as_basic_group(town: TelegramTown) -> Chat:
    """The firm's group as it is before it becomes a supergroup."""
    old = town.emulator.group(-4242, GROUP, kind="group", bot="administrator")
    await town._write("UPDATE chats SET external_id = '-4242' WHERE name = :name", name=GROUP)
    town.groups[GROUP] = old
    return old


async def move(town: TelegramTown) -> Chat:
    """It becomes one; the new group."""
    new = town.emulator.chat(await town.emulator.migrates(town.groups[GROUP]))
    town.groups[GROUP] = new
    return new


async def groups_known(town: TelegramTown) -> list[tuple[str, str]]:
    """Name and id of the groups that are let in."""
    rows = await town.all("SELECT name, external_id FROM chats WHERE private = 0 AND approved_at IS NOT NULL")
    return sorted((row["name"], row["external_id"]) for row in rows)


async def test_a_group_that_becomes_a_supergroup_keeps_its_firms_and_matters(town: TelegramTown) -> None:
    await as_basic_group(town)
    before = len(await groups_known(town))
    await town.says(BOSS, "诉求 停电", where=GROUP)
    new = await move(town)
    assert await town.settle() == []
    known = await groups_known(town)
    assert (GROUP, str(new.id)) in known
    assert len(known) == before
    filed = await town.says(BOSS, "诉求 又停电", where=GROUP)
    assert told(filed, GROUP) == ["appeal.filed"]
    assert "又停电" in filed[0].text  # its own firm's words may stand there
    before = len(town.got(GROUP))
    for line in ("接单 1", "办结 1 已恢复供电"):
        await town.says(LIAISON, line)
    assert len(town.got(GROUP)) > before  # the matter raised before the move is told of where the group is now
    assert {sent.chat_id for sent in town.got(GROUP)} == {new.id}


async def owe_in_group(town: TelegramTown, *words: str) -> None:
    """Matters raised in the group, whose answers are owed and have not left yet."""
    for word in words:
        await town.hears(BOSS, f"诉求 {word}停电", where=GROUP)
    await town.app.dispatcher.drain()


@pytest.mark.parametrize("first", ["the service messages", "a send"])
async def test_what_is_owed_arrives_in_the_new_group_once_and_in_order(town: TelegramTown, first: str) -> None:
    await as_basic_group(town)
    await owe_in_group(town, "甲", "乙", "丙")
    new = await move(town)
    if first == "a send":
        await town.app.pump.drain()
    await town.settle()
    assert ["".join(c for c in "甲乙丙" if f"{c}停电" in sent.text) for sent in town.got(GROUP)] == ["甲", "乙", "丙"]
    assert {sent.chat_id for sent in town.got(GROUP)} == {new.id}
    assert all("reply_parameters" not in sent.params for sent in town.got(GROUP))
    assert await town.all("SELECT id FROM outbox WHERE state <> 'sent'") == []


async def test_a_refused_send_alone_tells_of_the_move(town: TelegramTown) -> None:
    old = town.groups[GROUP]
    await owe_in_group(town, "甲")
    town.groups[GROUP] = town.emulator.group(-1007777, GROUP, bot="administrator")
    town.emulator.fault("sendMessage", status=400, description=UPGRADED, chat=old.id, migrate_to=-1007777)
    await town.settle()
    assert len(town.got(GROUP)) == 1
    assert (GROUP, "-1007777") in await groups_known(town)
    assert told(await town.says(BOSS, "诉求 又停电", where=GROUP), GROUP) == ["appeal.filed"]


async def test_what_came_in_under_the_old_id_still_belongs_to_the_group(town: TelegramTown) -> None:
    old = await as_basic_group(town)
    said = await town.says(BOSS, "诉求 停电", where=GROUP)
    ours = town.got(GROUP)[0].message_id
    await town.hears(BOSS, "还有二车间", where=GROUP, reply_to=ours)
    late = await town.all("SELECT id FROM inbox WHERE state = 'new'")
    await town._write("UPDATE inbox SET chat_key = 'telegram:late' WHERE state = 'new'")
    await town._write("UPDATE inbox SET retry_at = 9000000000000 WHERE state = 'new'")
    new = await move(town)
    await town.settle()
    other = await town.says(BOSS, "诉求 又停电", where=GROUP)
    while new.last_id < ours:  # the new group's own message of that number is about something else
        other = await town.says(BOSS, "诉求 还是停电", where=GROUP)
    await town._write("UPDATE inbox SET retry_at = 0 WHERE id = :id", id=late[0]["id"])
    heard = await town.settle()
    assert told(heard, GROUP) == ["work.supplemented"]
    assert heard[0].facts["number"] == said[0].facts["number"] != other[0].facts["number"]
    assert "reply_parameters" not in town.got(GROUP)[-1].params
    assert old.migrated_to == new.id


async def test_a_message_of_the_new_group_with_an_old_number_is_not_taken_for_ours(town: TelegramTown) -> None:
    await as_basic_group(town)
    await town.says(BOSS, "诉求 停电", where=GROUP)
    ours = town.got(GROUP)[0].message_id
    new = await move(town)
    await town.settle()
    new.last_id = ours - 1
    theirs = await town.emulator.says(town.users["张会计"], "中午吃什么", chat=new)
    assert theirs == ours
    await town.emulator.says(town.users[BOSS], "面条", chat=new, reply_to=theirs)
    assert await town.settle() == []
    assert len(await town.all("SELECT id FROM events WHERE appeal_id IS NOT NULL AND name = 'supplement'")) == 0


async def test_buttons_left_behind_by_a_move_are_nobodys_trouble(town: TelegramTown) -> None:
    await as_basic_group(town)
    await town.says(BOSS, "诉求 停电", where=GROUP)
    await move(town)
    await town.settle()
    before = len(town.calls("editMessageText", GROUP))
    await town.presses(LIAISON, "接单")
    assert len(town.calls("editMessageText", GROUP)) == before
    assert await town.all("SELECT id FROM outbox WHERE state IN ('pending', 'sending', 'uncertain')") == []


async def test_a_group_met_under_its_new_id_before_the_move_was_known_gives_way(town: TelegramTown) -> None:
    old = town.groups[GROUP]
    new = new_group(town, bot="administrator", chat_id=-1007777)
    assert told(await town.says(BOSS, "诉求 停电", where=NEW), OFFICE) == ["joining.approve_group"]
    town.emulator.fault("sendMessage", status=400, description=UPGRADED, chat=old.id, migrate_to=new.id)
    await town.says(BOSS, "诉求 停电", where=GROUP)
    town.groups[GROUP] = town.groups.pop(NEW)
    assert len(town.got(GROUP)) == 1
    said = await town.presses(OFFICE, "批准此群")
    assert told(said, OFFICE) == ["joining.approved_before"]
    assert told(said, GROUP) == []
    assert told(await town.says(BOSS, "诉求 又停电", where=GROUP), GROUP) == ["appeal.filed"]


async def test_the_button_about_a_group_that_gave_way_lets_in_the_one_that_goes_on(town: TelegramTown) -> None:
    old = new_group(town, chat_id=-4242, bot="administrator")
    await town.says(BOSS, "我们自己聊聊", where=NEW)
    new = town.groups[NEW] = town.emulator.group(-1007777, NEW, bot="administrator")
    await town.says(BOSS, "我们自己聊聊", where=NEW)
    town.emulator.service(old, town.users[BOSS], migrate_to_chat_id=new.id)
    await town.settle()
    said = await town.presses(OFFICE, "批准此群")
    assert told(said, NEW) == ["joining.group_welcome"]
    assert told(await town.says(BOSS, "诉求 停电", where=NEW), NEW) == ["appeal.filed"]
    assert len(await town.all("SELECT id FROM chats WHERE approved_at IS NOT NULL AND private = 0")) == 4


async def test_what_was_done_under_the_new_id_meanwhile_is_not_lost(town: TelegramTown) -> None:
    old = town.groups[GROUP]
    new = new_group(town, bot="administrator", chat_id=-1007777)
    await town.says(BOSS, "诉求 停电", where=NEW)
    await town.presses(OFFICE, "批准此群")
    filed = next(line for line in await town.says(BOSS, "诉求 停电", where=NEW) if line.listener == NEW)
    town.emulator.fault("sendMessage", status=400, description=UPGRADED, chat=old.id, migrate_to=new.id)
    await town.says(BOSS, "诉求 又停电", where=GROUP)
    town.groups[GROUP] = town.groups.pop(NEW)
    said = await town.says(BOSS, "还有二车间", where=GROUP, reply_to=filed.id)
    assert told(said, GROUP) == ["work.supplemented"]
    assert said[0].facts["number"] == filed.facts["number"]
    assert {row["origin_chat_id"] for row in await town.all("SELECT origin_chat_id FROM appeals")} == {
        (await town.one("SELECT id FROM chats WHERE external_id = '-1007777'"))["id"]
    }


async def test_that_the_bot_left_the_old_group_says_nothing_of_the_new(town: TelegramTown) -> None:
    old = await as_basic_group(town)
    await move(town)
    await town.settle()
    town.emulator.change("my_chat_member", old, town.users[BOSS], town.emulator.core.me["id"], "administrator", "left")
    assert await town.settle() == []
    await town.says(BOSS, "诉求 停电", where=GROUP)
    assert (await town.one("SELECT reachable FROM chats WHERE name = :name", name=GROUP))["reachable"] == 1


async def test_a_workbook_that_names_the_old_id_means_the_same_group(town: TelegramTown) -> None:
    await as_basic_group(town)
    await move(town)
    await town.settle()
    before = await groups_known(town)
    line = GroupEntry(name=GROUP, channel="telegram", chat_id="-4242", purpose=Purpose.LIAISON)
    await town.database.transaction(lambda tx: roster.apply(tx, Roster(groups=(line,)), town.app.civil()))
    assert await groups_known(town) == before


# The unnamed ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, answer", [("/批准此群", ["reply.unnamed"]), ("/诉求 停电", ["reply.unnamed"]), ("大家好", [])]
)
@pytest.mark.parametrize("what", ["the group", "a channel"])
async def test_who_speaks_as_the_group_or_a_channel_has_no_authority_and_hears_why(
    town: TelegramTown, text: str, answer: list[str], what: str
) -> None:
    group = town.groups[GROUP]
    speaker = group if what == "the group" else town.emulator.group(-1009999, "园区频道", kind="channel")
    before = await town.everything("inbox", "outbox", "chats")
    said = await town.says(BOSS, text, where=GROUP, sender_chat=speaker)
    assert told(said, GROUP) == answer
    assert all("本人身份" in line.text for line in said)
    assert await town.everything("inbox", "outbox", "chats") == before


async def test_a_channel_is_not_spoken_in(town: TelegramTown) -> None:
    channel = town.emulator.group(-1009999, "园区频道", kind="channel", bot="administrator")
    await town.emulator.says(town.users[BOSS], "/诉求 停电", chat=channel)
    assert await town.settle() == []
    await town.emulator.adds_bot(town.users[BOSS], channel, as_admin=True)
    assert await town.settle() == []


async def test_an_unnamed_edit_is_not_answered_again(town: TelegramTown) -> None:
    group = town.groups[GROUP]
    message = await town.hears(BOSS, "/诉求 停电", where=GROUP, sender_chat=group)
    assert told(await town.settle(), GROUP) == ["reply.unnamed"]
    await town.emulator.edits(town.users[BOSS], message, "/诉求 又停电", chat=group)
    assert await town.settle() == []


# Topics ---------------------------------------------------------------------------------------------------------------
async def as_forum(town: TelegramTown, name: str) -> Chat:
    forum = town.emulator.group(-1003333, name, forum=True, bot="administrator")
    await town._write("UPDATE chats SET external_id = '-1003333' WHERE name = :name", name=name)
    town.groups[name] = forum
    return forum


async def test_answers_stay_in_their_topic_and_others_in_the_general_one(town: TelegramTown) -> None:
    topic = town.emulator.topic(await as_forum(town, GROUP), "用电")
    said = await town.says(BOSS, "诉求 停电", where=GROUP, thread=topic)
    await town.says(BOSS, "还有二车间", where=GROUP, thread=topic, reply_to=said[0].id)
    await town.says(BOSS, "诉求 又停电", where=GROUP)
    assert [sent.thread for sent in town.got(GROUP)] == [topic, topic, None]


async def test_a_digest_stands_in_the_general_topic(town: TelegramTown) -> None:
    topic = town.emulator.topic(await as_forum(town, DESK), "闲聊")
    await town.says(OFFICE, "日报", where=DESK, thread=topic)
    await town.wait(until="2026-03-12 08:45")
    assert [sent.thread for sent in town.got(DESK)] == [topic, None]


@pytest.mark.parametrize("forum", [False, True])
async def test_an_answer_to_a_message_that_was_deleted_meanwhile_arrives_where_it_was(
    town: TelegramTown, forum: bool
) -> None:
    topic = town.emulator.topic(await as_forum(town, GROUP), "用电") if forum else None
    asked = await town.hears(BOSS, "诉求 停电", where=GROUP, thread=topic)
    town.emulator.deletes(asked, town.groups[GROUP])
    assert told(await town.settle(), GROUP) == ["appeal.filed"]
    assert [sent.thread for sent in town.got(GROUP)] == [topic]
