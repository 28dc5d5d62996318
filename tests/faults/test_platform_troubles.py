"""Slow and hostile platforms: each script is played between a real channel and its platform, and nothing is lost of it.

What is held to be true stands in troubled.py (`check`); the platform's own records and the line's are the oracle.
"""

from collections import Counter

import pytest

from tests import needs
from tests.emulators.pushed import run_pushed
from tests.errors import ExpectedErrors
from tests.faults import scripts_telegram, scripts_wecom
from tests.faults.scripts import Script
from tests.faults.troubled import play
from tests.summary import Tally

SCRIPTS = (*scripts_telegram.scripts(), *scripts_wecom.scripts())
SPREAD = [script for number, script in enumerate(SCRIPTS) if number % 2 == 0 or script.found or script.spread]
"""Neighbours are variations of one theme: every other one, and what has found something."""
PLAYED = SCRIPTS if needs.full() else SPREAD


@pytest.mark.parametrize("script", PLAYED, ids=lambda script: f"{script.channel}: {script.name}")
def test_trouble_loses_nothing_doubles_nothing_and_holds_up_nobody_else(
    script: Script, tally: Tally, expected_errors: ExpectedErrors
) -> None:
    for line in script.errors:
        expected_errors.expect(line)
    run_pushed(play(script))
    tally("R7", 1)


def test_there_are_at_least_sixty_scripts_and_every_channel_has_its_own() -> None:
    counts = Counter(script.channel for script in SCRIPTS)
    assert len({(script.channel, script.name) for script in SCRIPTS}) == len(SCRIPTS) >= 2 * 60
    assert len(SPREAD) >= 60
    assert min(counts.values()) >= 10
    assert counts.keys() == {"telegram", "wecom_app", "wecom_group", "wecom_aibot"}
