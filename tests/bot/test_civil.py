from datetime import timedelta

from bot.civil import CivilClock
from tests.bot.posthouse import MORNING, Clock


def test_civil_time_is_the_real_time_unless_it_is_moved() -> None:
    machine = Clock()
    civil = CivilClock(machine)
    machine.on(minutes=3)
    assert civil() == MORNING + timedelta(minutes=3)


def test_it_may_start_elsewhere_and_then_runs_on_with_the_real_time() -> None:
    machine = Clock()
    civil = CivilClock(machine, MORNING + timedelta(days=2))
    machine.on(seconds=5)
    assert civil() == MORNING + timedelta(days=2, seconds=5)


def test_moved_ahead_it_stays_ahead_and_runs_on() -> None:
    machine = Clock()
    civil = CivilClock(machine)
    civil.move_to(MORNING + timedelta(hours=1))
    machine.on(seconds=5)
    assert civil() == MORNING + timedelta(hours=1, seconds=5)


def test_it_is_never_moved_back() -> None:
    machine = Clock()
    civil = CivilClock(machine)
    civil.move_to(MORNING - timedelta(days=1))
    assert civil() == MORNING
    frozen = CivilClock(machine, MORNING, frozen=True)
    frozen.move_to(MORNING - timedelta(days=1))
    assert frozen() == MORNING


def test_a_frozen_clock_stands_until_it_is_moved() -> None:
    machine = Clock()
    civil = CivilClock(machine, MORNING, frozen=True)
    machine.on(hours=9)
    assert civil() == MORNING
    civil.move_to(MORNING + timedelta(minutes=1))
    machine.on(hours=9)
    assert civil() == MORNING + timedelta(minutes=1)


def test_it_shows_whole_milliseconds_as_the_database_keeps_them() -> None:
    assert CivilClock(Clock(MORNING + timedelta(microseconds=1999)))() == MORNING + timedelta(milliseconds=1)
