"""The story of one appeal on Telegram, polled and called: the same as on any other channel, to the letter."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from tests.stories.telegram_town import Mode, telegram_town
from tests.stories.test_one_appeal import LIST, live_one_life
from tests.stories.town import transcript


def by_listener(told: Sequence[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """What each heard, in order; between two chats no order is promised."""
    heard: dict[str, list[str]] = defaultdict(list)
    for line in told:
        heard[line["listener"]].append(json.dumps(line, ensure_ascii=False, sort_keys=True))
    return heard


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_one_appeal_lives_on_telegram_as_the_golden_list_tells(mode: str) -> None:
    async with telegram_town(cast(Mode, mode)) as town:
        await live_one_life(town)
        told = transcript(town.said)
        golden = json.loads(LIST.read_text(encoding="utf-8"))
        assert by_listener(told) == by_listener(golden)
        assert Counter(line["time"] for line in told) == Counter(line["time"] for line in golden)
        assert town.emulator.refusals == 0
