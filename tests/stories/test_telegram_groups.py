"""What happens to groups on Telegram: let in, put out, hearing little, moving, full of the unnamed, cut into topics."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Tx
from tests.emulators.telegram import TelegramEmulator
from tests.stories.telegram_town import TelegramTown, telegram_town
from tests.stories.town import Said

OFFICE = "周芳"
GROUP = "宏达机械联企群"


@pytest.fixture
async def town() -> AsyncIterator[TelegramTown]:
    async with telegram_town(at="2026-03-11 09:00") as opened:
        yield opened


@pytest.fixture
async def discreet_town() -> AsyncIterator[TelegramTown]:
    """A town whose bot is brought little, as every new bot is: only commands and replies to it."""
    async with telegram_town(at="2026-03-11 09:00", emulator=TelegramEmulator(privacy=True)) as opened:
        yield opened


def told(said: list[Said], listener: str) -> list[str]:
    return [line.key for line in said if line.listener == listener]


async def test_an_unknown_group_is_asked_about_once_and_answers_once_it_is_let_in(
    discreet_town: TelegramTown,
) -> None:
    town = discreet_town
    new = town.emulator.group(-1002222, "新群", bot="left")
    town.groups["新群"] = new
    await town.emulator.adds_bot(town.users["张建国"], new)
    assert told(await town.settle(), OFFICE) == ["joining.approve_group"]
    assert await town.says("张建国", "/appeal 停电", where="新群") == []
    said = await town.presses(OFFICE, "批准此群")
    assert told(said, "新群") == ["joining.group_welcome", "places.hears_little_here"]
    assert told(await town.says("张建国", "诉求 停电", where="新群"), "新群") == []
    assert told(await town.says("张建国", "/appeal 停电", where="新群"), "新群") == ["appeal.filed"]


async def test_what_was_said_in_a_group_before_it_was_let_in_is_not_kept(town: TelegramTown) -> None:
    new = town.emulator.group(-1002222, "新群", bot="administrator")
    town.groups["新群"] = new
    await town.says("张建国", "我们自己聊聊", where="新群")
    await town.says("张建国", "今晚一起吃饭", where=GROUP)
    await town.says("张建国", "/诉求 停电", where=GROUP)
    bodies = [row["body"] for row in await town.all("SELECT body FROM inbox ORDER BY id")]
    assert [body == "{}" for body in bodies] == [True, True, False]


async def test_the_office_is_told_what_a_group_does_not_let_the_bot_hear(discreet_town: TelegramTown) -> None:
    town = discreet_town
    group, owner = town.groups[GROUP], town.users["张建国"]
    await town.emulator.promotes_bot(owner, group, to="member")
    assert told(await town.settle(), OFFICE) == ["places.hears_little"]
    await town.emulator.promotes_bot(owner, group)
    assert told(await town.settle(), OFFICE) == ["places.hears_all"]


async def test_put_out_of_a_group_the_office_hears_so_and_let_in_again_all_goes_on(town: TelegramTown) -> None:
    group, owner = town.groups[GROUP], town.users["张建国"]
    await town.emulator.removes_bot(owner, group)
    assert told(await town.settle(), OFFICE) == ["places.removed"]
    await town.emulator.adds_bot(owner, group, as_admin=True)
    assert told(await town.settle(), GROUP) == []
    assert told(await town.says("张建国", "诉求 停电", where=GROUP), GROUP) == ["appeal.filed"]


async def test_a_group_goes_by_its_new_name(town: TelegramTown) -> None:
    await town.emulator.renames(town.groups[GROUP], "宏达大群")
    await town.settle()
    names = [row["name"] for row in await town.all("SELECT name FROM chats WHERE private = 0")]
    assert "宏达大群" in names
    assert GROUP not in names


async def move(town: TelegramTown) -> int:
    """The firm's group as a basic one, moved to a supergroup; the new id."""
    old = town.emulator.group(-4242, GROUP, kind="group", bot="administrator")
    await town.database.transaction(
        lambda tx: tx.run("UPDATE chats SET external_id = '-4242' WHERE name = :name", {"name": GROUP})
    )
    town.groups[GROUP] = old
    await town.says("张建国", "诉求 停电", where=GROUP)
    return await town.emulator.migrates(old)


async def test_a_group_that_becomes_a_supergroup_keeps_everything(town: TelegramTown) -> None:
    new = await move(town)
    await town.settle()
    town.groups[GROUP] = town.emulator.chat(new)
    assert told(await town.says("张建国", "进度", where=GROUP), GROUP)
    rows = await town.all("SELECT external_id, approved_at FROM chats WHERE name = :name", name=GROUP)
    assert [(row["external_id"], row["approved_at"] is not None) for row in rows] == [(str(new), True)]


async def test_a_send_that_meets_the_move_first_arrives_in_the_new_group_once(town: TelegramTown) -> None:
    await town.says("张建国", "诉求 停电", where=GROUP)
    new = town.emulator.group(-1007777, GROUP, bot="administrator")
    town.emulator.fault(
        "sendMessage", status=400, description="Bad Request: group chat was upgraded to a supergroup chat",
        chat=town.groups[GROUP].id, migrate_to=new.id,
    )  # fmt: skip
    old, town.groups[GROUP] = town.groups[GROUP], new
    before = len(town.emulator.sent)
    await town.emulator.says(town.users["张建国"], "进度 1", chat=old)
    await town.settle()
    sent = [each.chat_id for each in town.emulator.sent[before:]]
    assert sent == [new.id]
    assert told(await town.says("张建国", "诉求 又停电", where=GROUP), GROUP) == ["appeal.filed"]
    assert len(await town.all("SELECT id FROM chats WHERE approved_at IS NOT NULL AND private = 0")) == 3


async def test_ids_of_the_old_group_are_not_taken_for_ours_in_the_new(town: TelegramTown) -> None:
    await move(town)
    await town.settle()
    here = await town.all(
        "SELECT platform_id, reply_to FROM outbox WHERE chat_id = (SELECT id FROM chats WHERE name = :name)", name=GROUP
    )
    assert here
    assert all(row["platform_id"].startswith("moved:") and row["reply_to"] is None for row in here)


@pytest.mark.parametrize(
    "text, answer", [("/批准此群", ["reply.unnamed"]), ("/诉求 停电", ["reply.unnamed"]), ("大家好", [])]
)
async def test_who_speaks_as_the_group_has_no_authority_and_hears_why(
    town: TelegramTown, text: str, answer: list[str]
) -> None:
    group = town.groups[GROUP]
    said = await town.says("张建国", text, where=GROUP, sender_chat=group)
    assert told(said, GROUP) == answer
    assert await town.all("SELECT id FROM appeals") == []


async def test_answers_stay_in_their_topic(town: TelegramTown) -> None:
    forum = town.emulator.group(-1003333, "园区大群", forum=True, bot="administrator")
    await town.database.transaction(lambda tx: move_to(tx, GROUP, forum.id))
    town.groups[GROUP] = forum
    topic = town.emulator.topic(forum, "用电")
    await town.says("张建国", "诉求 停电", where=GROUP, thread=topic)
    await town.says("张建国", "诉求 停水", where=GROUP)
    assert [sent.thread for sent in town.emulator.sent if sent.chat_id == forum.id] == [topic, None]


async def move_to(tx: Tx, name: str, chat: int) -> None:
    await tx.run("UPDATE chats SET external_id = :id WHERE name = :name", {"id": str(chat), "name": name})


async def test_an_answer_to_a_message_that_was_deleted_meanwhile_arrives(town: TelegramTown) -> None:
    asked = await town.emulator.says(town.users["张建国"], "诉求 停电", chat=town.groups[GROUP])
    town.emulator.deletes(asked, town.groups[GROUP])
    assert told(await town.settle(), GROUP) == ["appeal.filed"]
