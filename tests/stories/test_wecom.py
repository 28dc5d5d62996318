"""The story of one appeal on enterprise WeChat's smart bot: the same as on any other channel, to the letter."""

import json
from collections import Counter

from tests.stories.test_one_appeal import LIST, live_one_life
from tests.stories.test_telegram import by_listener
from tests.stories.town import transcript
from tests.stories.wecom_town import wecom_town


async def test_one_appeal_lives_on_wecom_as_the_golden_list_tells() -> None:
    async with wecom_town() as town:
        await live_one_life(town)
        told = transcript(town.said)
        golden = json.loads(LIST.read_text(encoding="utf-8"))
        assert by_listener(told) == by_listener(golden)
        assert Counter(line["time"] for line in told) == Counter(line["time"] for line in golden)
        assert not town.emulator.refusals
        assert town.emulator.advice == []
