"""A group hears of its own firms only, whoever asks there and wherever a matter was raised."""

from collections.abc import AsyncIterator

import pytest

from tests.stories.town import Town

OTHER, LIAISON, HONGDA, MULTI = "陈和顺", "王敏", "宏达机械联企群", "大树营联企群"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    opened = await Town.open()
    yield opened
    await opened.close()


def heard(town: Town, where: str) -> str:
    """All that a group was told."""
    return "\n".join(line.text for line in town.said if line.listener == where)


async def test_in_the_group_of_another_firm_the_answer_goes_privately(town: Town) -> None:
    said = await town.says(OTHER, "诉求：门口停电", where=HONGDA)
    assert [line.key for line in said if line.listener == HONGDA] == ["reply.sent_privately"]
    assert [line.key for line in said if line.listener == OTHER] == ["appeal.filed"]
    await town.says(LIAISON, "撤回 1", where=HONGDA)
    assert "和顺" not in heard(town, HONGDA)


async def test_news_of_a_matter_raised_in_the_group_of_another_firm_stays_out_of_it(town: Town) -> None:
    await town.says(OTHER, "诉求：门口停电", where=HONGDA)
    for who, words in ((LIAISON, "接单 1"), (LIAISON, "办结 1 已修好"), (OTHER, "满意 1")):
        await town.says(who, words)
    assert "和顺" not in heard(town, HONGDA)
    assert "#1" not in heard(town, HONGDA)


async def test_what_was_owed_to_a_group_that_has_lost_the_firm_does_not_leave(town: Town) -> None:
    await town.says(OTHER, "诉求：门口停电", where=MULTI)
    before = heard(town, MULTI)
    await town.database.transaction(
        lambda tx: tx.run("DELETE FROM chat_enterprises WHERE enterprise_id = 2 AND chat_id > 0", {})
    )
    await town.says(OTHER, "撤回 1")
    assert heard(town, MULTI) == before
