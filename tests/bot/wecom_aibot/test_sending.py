"""Parcels over the long connection, and what the platform's refusals mean."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.wecom_aibot.desks import GROUP, ZHANG, Line, line


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


async def test_a_question_is_answered_where_it_was_asked(wire: Line) -> None:
    asked = await wire.server.says(ZHANG, "诉求 停电", chat=GROUP)
    (message,) = await wire.heard(1)
    assert (message.text, message.chat, message.sender, message.private) == ("诉求 停电", GROUP, ZHANG, False)
    await wire.send("已登记 #1", reply_to=message.message_id)
    (answer,) = wire.server.visible
    assert (answer.text, answer.answers, answer.cmd) == ("已登记 #1", asked.msgid, "aibot_respond_msg")
