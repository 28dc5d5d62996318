"""However long messages are on their way, a platform never counts more of them than it allows."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channel import Pace, Window
from bot.pacing import Pacer

PACE = Pace(overall=4, chat_seconds=1.0, windows=(Window(3, 10.0, groups_only=True), Window(5, 30.0)))
BEGIN = datetime(2026, 3, 11, 1, tzinfo=UTC)
STEP = timedelta(milliseconds=100)

# Of each message: its chat (even ones are groups), how many steps it is on its way, and when in between it counts.
JOURNEYS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 25), st.floats(0, 1)), max_size=60)


def counted(journeys: list[tuple[int, int, float]]) -> list[tuple[int, float]]:
    """Let messages leave as soon as they may; (chat, seconds at which the platform counts it) of each."""
    pacer = Pacer({"telegram": PACE})
    waiting, flying = list(journeys), dict[int, tuple[datetime, int, int]]()
    rests: dict[int, datetime] = defaultdict(lambda: BEGIN)
    seen: list[tuple[int, float]] = []
    now, number = BEGIN, 0
    while waiting or flying:
        for key, (lands, chat, _) in list(flying.items()):
            if lands <= now:
                rest = pacer.landed("telegram", chat, lands, private=chat % 2 == 1)
                assert rest is not None
                rests[chat] = max(rests[chat], rest)
                pacer.end("telegram")
                del flying[key]
        for chat, steps, share in list(waiting):
            busy = {other for _, other, _ in flying.values()}
            if chat in busy or rests[chat] > now or not pacer.room("telegram", now, 64):
                continue
            waiting.remove((chat, steps, share))
            pacer.begin("telegram")
            flying[number] = (now + steps * STEP, chat, number)
            number += 1
            seen.append((chat, (now - BEGIN + share * steps * STEP).total_seconds()))
        now += STEP
    return sorted(seen, key=lambda each: each[1])


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments in any half-open window of that length."""
    return max((sum(start <= each < start + seconds - 1e-9 for each in moments) for start in moments), default=0)


@settings(max_examples=150)
@given(JOURNEYS)
def test_no_window_of_the_platform_ever_holds_too_many(journeys: list[tuple[int, int, float]]) -> None:
    seen = counted(journeys)
    assert len(seen) == len(journeys)
    assert most_within([at for _, at in seen], 1.0) <= PACE.overall
    for chat in {chat for chat, _ in seen}:
        here = [at for owner, at in seen if owner == chat]
        assert most_within(here, PACE.chat_seconds) <= 1
        for window in PACE.windows:
            if chat % 2 == 0 or not window.groups_only:
                assert most_within(here, window.seconds) <= window.most


def test_a_platform_that_answers_at_once_is_used_to_the_full() -> None:
    pacer = Pacer({"telegram": PACE})
    sent = 0
    for step in range(100):
        now = BEGIN + step * STEP
        for chat in range(pacer.room("telegram", now, 64)):
            pacer.begin("telegram")
            pacer.landed("telegram", chat, now, private=True)
            pacer.end("telegram")
            sent += 1
    assert sent == 10 * PACE.overall


def test_what_an_earlier_process_sent_into_a_group_counts() -> None:
    pacer = Pacer({"telegram": PACE})
    for second in (1, 2):
        pacer.remember("telegram", 2, BEGIN + timedelta(seconds=second), private=False)
    rest = pacer.landed("telegram", 2, BEGIN + timedelta(seconds=4), private=False)
    assert rest == BEGIN + timedelta(seconds=11)


def test_what_an_earlier_process_sent_to_a_person_counts_where_private_chats_are_counted() -> None:
    pacer = Pacer({"telegram": PACE})
    assert pacer.memory == timedelta(seconds=30)
    for second in range(4):
        pacer.remember("telegram", 1, BEGIN + timedelta(seconds=second), private=True)
    rest = pacer.landed("telegram", 1, BEGIN + timedelta(seconds=9), private=True)
    assert rest == BEGIN + timedelta(seconds=30)


def test_where_nobody_counts_nobody_waits() -> None:
    pacer = Pacer({})
    assert pacer.room("web", BEGIN, 64) == 64
    pacer.begin("web")
    assert pacer.landed("web", 1, BEGIN, private=False) is None
    pacer.end("web")
    assert pacer.opens(BEGIN) is None


def test_a_full_channel_tells_when_it_opens() -> None:
    pacer = Pacer({"telegram": PACE})
    for number in range(PACE.overall):
        assert pacer.opens(BEGIN) is None
        pacer.begin("telegram")
        pacer.landed("telegram", number, BEGIN + number * STEP, private=True)
        pacer.end("telegram")
    assert pacer.opens(BEGIN + PACE.overall * STEP) == BEGIN + timedelta(seconds=1)
