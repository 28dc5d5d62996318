"""The story of one appeal on enterprise WeChat's smart bot: the same as on any other channel, to the letter."""

import json
from collections import Counter

import pytest

from tests.stories.test_one_appeal import LIST, live_one_life
from tests.stories.test_telegram import by_listener
from tests.stories.town import transcript
from tests.stories.wecom_town import TO_WRITE, WecomTown, choices, wecom_town


async def test_one_appeal_lives_on_wecom_as_the_golden_list_tells() -> None:
    async with wecom_town() as town:
        await live_one_life(town)
        told = transcript(town.said)
        golden = json.loads(LIST.read_text(encoding="utf-8"))
        assert by_listener(told) == by_listener(golden)
        assert Counter(line["time"] for line in told) == Counter(line["time"] for line in golden)
        assert not town.emulator.refusals
        assert town.emulator.advice == []


async def test_where_no_card_holds_the_buttons_their_words_are_written_below_and_do_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.channels.wecom_aibot.cards.MOST_KEYS", 0)
    monkeypatch.setattr(WecomTown, "presses", WecomTown.types)
    async with wecom_town() as town:
        await live_one_life(town)
        golden = json.loads(LIST.read_text(encoding="utf-8"))
        told = transcript(town.said)
        for line in told:
            line["buttons"] = [choice.split(" ")[0] for choice in choices(line["text"])]
            line["text"] = line["text"].partition(TO_WRITE)[0]
        assert by_listener(told) == by_listener(golden)
        assert {seen.kind for seen in town.emulator.visible} == {"markdown", "file"}
        assert not town.emulator.refusals
