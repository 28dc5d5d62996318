"""What is particular about talking to the smart bot: cards that change when pressed, quotes without ids, greetings."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.wecom_aibot.test_sending import PNG
from tests.stories.town import Said
from tests.stories.wecom_town import WecomTown, wecom_town

BOSS, OTHER_BOSS, LIAISON, OFFICE = "张建国", "陈和顺", "王敏", "周芳"
GROUP, MULTI = "宏达机械联企群", "大树营联企群"


@pytest.fixture
async def town() -> AsyncIterator[WecomTown]:
    async with wecom_town() as opened:
        await opened.settle()
        yield opened


def keys(said: list[Said]) -> list[tuple[str, str]]:
    return [(line.listener, line.key) for line in said]


async def test_a_pressed_card_loses_what_is_over_within_its_five_seconds(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低")
    card = town.seen(LIAISON)[-1]
    assert [label for label, _ in card.buttons] == ["接单", "已联系", "退单"]
    told = await town.presses(LIAISON, "接单")
    assert (LIAISON, "work.acknowledged") in keys(told)
    assert card.updates == 1
    assert "接单" not in [label for label, _ in card.buttons]
    assert card.text.startswith("【待接单】#1")


async def test_a_card_that_is_outdated_and_was_not_pressed_stays_and_its_press_is_guarded(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低")
    card = town.seen(LIAISON)[-1]
    await town.says(LIAISON, "接单 1")
    assert card.updates == 0
    states = await town.all("SELECT state, error FROM outbox WHERE kind = 'edit'")
    assert {row["state"] for row in states} == {"superseded"}
    told = await town.presses(LIAISON, "接单")
    assert [line.key for line in told] == ["refused.outdated"]


async def test_who_quotes_the_bot_speaks_of_what_it_spoke_of(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低", where=GROUP)
    filed = next(line for line in town.said if line.key == "appeal.filed")
    told = await town.says(BOSS, "二车间也停了", where=GROUP, reply_to=filed.id)
    assert (GROUP, "work.supplemented") in keys(told)
    assert (await town.one("SELECT COUNT(*) AS n FROM appeals"))["n"] == 1


async def test_a_quote_of_a_part_of_the_words_counts_by_the_number_in_it(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低", where=GROUP)
    part = await town.emulator.says(town.users[OTHER_BOSS], "已登记 #1：…", chat=town.groups[GROUP], at_bot=False)
    await town.emulator.says(town.users[BOSS], "二车间也停了", chat=town.groups[GROUP], quote=part)
    assert (GROUP, "work.supplemented") in keys(await town.settle())


async def test_a_number_of_which_this_chat_was_told_nothing_means_nothing(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低", where=GROUP)
    strange = await town.emulator.says(town.users[OTHER_BOSS], "去看 #1 车间", chat=town.groups[MULTI], at_bot=False)
    await town.emulator.says(town.users[OTHER_BOSS], "这里也停了", chat=town.groups[MULTI], quote=strange)
    told = keys(await town.settle())
    assert (MULTI, "work.supplemented") not in told
    assert "refused.not_found" not in [key for _, key in told]


async def test_a_picture_is_added_by_quoting_it(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低", where=GROUP)
    picture = await town.emulator.says(town.users[BOSS], chat=town.groups[GROUP], images=[PNG])
    await town.emulator.says(town.users[BOSS], "补充 1 看照片", chat=town.groups[GROUP], quote=picture)
    assert (GROUP, "work.supplemented") in keys(await town.settle())
    assert (await town.one("SELECT content FROM files"))["content"] == PNG


async def test_pictures_and_words_in_one_message_are_one_matter(town: WecomTown) -> None:
    await town.says(BOSS, "诉求 车间电压低", where=GROUP, images=[PNG, PNG + b"2"])
    assert (await town.one("SELECT COUNT(*) AS n FROM appeals"))["n"] == 1
    assert (await town.one("SELECT COUNT(*) AS n FROM files"))["n"] == 2


async def test_a_stranger_who_opens_the_chat_is_told_how_to_begin(town: WecomTown) -> None:
    town.users["马师傅"] = town.emulator.user("MaShiFu", "马师傅")
    await town.emulator.enters("MaShiFu")
    await town.settle()
    (greeting,) = town.seen("马师傅")
    assert greeting.cmd == "aibot_respond_welcome_msg"
    assert greeting.text


async def test_who_is_known_and_opens_the_chat_is_greeted_with_what_he_can_say(town: WecomTown) -> None:
    for who, word in ((BOSS, "诉求"), (LIAISON, "待办")):
        await town.emulator.enters(town.users[who])
        await town.settle()
        greeting = town.seen(who)[-1]
        assert greeting.cmd == "aibot_respond_welcome_msg"
        assert greeting.text.startswith(f"{who}，您好。")
        assert word in greeting.text


async def test_a_question_in_a_group_says_that_the_answer_has_to_call_the_bot(town: WecomTown) -> None:
    (asked,) = await town.says(BOSS, "诉求", where=GROUP)
    assert asked.text.endswith("（在群里请 @ 我再回答，不 @ 我收不到。）")
    assert (GROUP, "appeal.filed") in keys(await town.says(BOSS, "车间电压低", where=GROUP))


async def test_a_cadre_who_never_wrote_is_not_waited_for_and_the_office_hears(town: WecomTown) -> None:
    town.emulator.world.wrote.discard(town.users[LIAISON])
    told = await town.says(BOSS, "诉求 车间电压低")
    assert town.seen(LIAISON) == []
    assert [key for who, key in keys(told) if who == OFFICE] == ["watch.unreachable"]
    row = await town.one("SELECT reachable FROM chats WHERE external_id = :id", id=town.users[LIAISON])
    assert row["reachable"] == 0


async def test_a_file_that_cannot_be_had_is_told_to_who_sent_it(town: WecomTown) -> None:
    town.emulator.fault("download", code=404)
    told = await town.says(BOSS, file=("大.bin", b"x" * 9))
    assert [line.key for line in told if line.listener == BOSS][:1] == ["reply.file_lost"]


async def test_who_opens_the_chat_again_and_again_is_greeted_once_a_day(town: WecomTown) -> None:
    async def opened() -> int:
        await town.wait(hours=0.1)
        await town.emulator.enters(town.users[BOSS])
        await town.settle()
        return len(town.seen(BOSS))

    assert [await opened(), await opened()] == [1, 1]
    await town.wait(days=1)
    before = len(town.seen(BOSS))
    assert [await opened() - before, await opened() - before] == [1, 1]


async def test_who_opens_the_chat_does_not_lose_the_question_that_he_was_asked(town: WecomTown) -> None:
    await town.says(BOSS, "诉求")
    await town.emulator.enters(town.users[BOSS])
    assert await town.settle() == []
    assert (BOSS, "appeal.filed") in keys(await town.says(BOSS, "车间电压低"))


async def test_who_opened_the_chat_and_wrote_nothing_is_not_within_reach(town: WecomTown) -> None:
    async def reachable(user: str) -> int:
        return int((await town.one("SELECT reachable FROM chats WHERE external_id = :id", id=user))["reachable"])

    town.emulator.world.wrote.discard(town.users[LIAISON])
    await town.says(BOSS, "诉求 车间电压低")
    town.users["马师傅"] = town.emulator.user("MaShiFu", "马师傅")
    for user in (town.users[LIAISON], "MaShiFu"):
        await town.emulator.enters(user)
        await town.settle()
        assert await reachable(user) == 0
    await town.says(LIAISON, "待办")
    assert await reachable(town.users[LIAISON]) == 1
