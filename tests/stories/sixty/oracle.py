"""What the clock has to say, foretold: a pure function of the history, the roster, the rules and the hours awake.

Written from docs/reference/ladder.md, and from docs/privacy.md who may still see a matter when a message leaves, in
code of its own. For every rung of every clock it says when it was reached and for whom, and what became of it: told
(when, and in which message), superseded, held, void, told to nobody.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from domain.rules import Rules, Rung
from tests.stories.sixty.absences import LeaveLine
from tests.stories.sixty.manners import calm
from tests.stories.sixty.past import Filed, Line, Matter, Ticking
from tests.stories.sixty.roster import Roster, Succession

RungKey = tuple[int, str, int, str]
"""Matter, clock, round, label."""


# What the program lived through --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Moment:
    """The program was awake at an instant: it had heard all up to a line of the log, then its clock rang.

    `sends` is False where it died before anything left.
    """

    at: datetime
    heard: int
    sends: bool = True


@dataclass(frozen=True)
class Stretch:
    """The program was awake all the time from one instant to another, and nobody did anything."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Released:
    """A coordinator let out what was held of a matter."""

    appeal: int


Entry = Moment | Stretch | Released
Said = Line | LeaveLine | Succession
"""Whatever the history tells."""


# What is foretold ----------------------------------------------------------------------------------------------------
@dataclass
class Note:
    """A rung that was reached for one person."""

    key: RungKey
    person: int
    due: datetime
    noted: datetime
    place: int
    state: str
    told: datetime | None = None

    @property
    def matter(self) -> int:
        """Of which matter."""
        return self.key[0]


@dataclass
class Letter:
    """One message to one person: what it speaks of, since when it is owed, when it left."""

    person: int
    due: datetime
    about: list[RungKey]
    left: datetime | None = None


@dataclass(frozen=True)
class Reached:
    """A rung of a running clock whose moment is known."""

    at: datetime
    rung: Rung
    clock: Ticking

    def key(self, matter: Matter) -> RungKey:
        """Under which it is noted once."""
        return (matter.filed.id, self.clock.name, self.clock.round, self.rung.label)


def rungs_of(matter: Matter, clock: Ticking, rules: Rules) -> list[Rung]:
    """The rungs of a clock; a kind with rungs of its own follows no general ones."""
    steps = rules.ladders.get(clock.clock, ())
    own = [rung for rung in steps if matter.filed.kind in rung.kinds]
    return own or [rung for rung in steps if not rung.kinds]


def climb(matter: Matter, rules: Rules) -> list[Reached]:
    """The rungs of the clocks that run, in order of time; what would lie before its clock's start falls away."""
    found: list[Reached] = []
    for clock in matter.ticking():
        for rung in rungs_of(matter, clock, rules):
            if isinstance(rung.at, float):
                at = rules.calendar.share(clock.since, clock.due, rung.at)
            else:
                at = rules.calendar.offset(clock.due, rung.at)
            if at > clock.since:
                found.append(Reached(at, rung, clock))
    return sorted(found, key=attrgetter("at"))


@dataclass
class Oracle:
    """Goes through the history once; afterwards its fields hold what had to happen.

    `notes` are the rungs, `letters` the messages that left, `struck` counts the lines that did not, `asked` is who
    was asked to release a rung of which matter, `woken` the suspensions that ended by themselves.
    """

    roster: Roster
    rules: Rules
    matters: dict[int, Matter] = field(default_factory=dict)
    looks: dict[int, datetime | None] = field(default_factory=dict)
    notes: dict[tuple[RungKey, int], Note] = field(default_factory=dict)
    owed: dict[int, list[Note]] = field(default_factory=dict)
    told: dict[int, list[datetime]] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    waiting: list[Letter] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    woken: list[tuple[int, int, datetime]] = field(default_factory=list)
    struck: int = 0

    def foretell(self, filed: Iterable[Filed], lines: Sequence[Said], journal: Iterable[Entry]) -> None:
        """All of it, in order."""
        for each in filed:
            self.matters[each.id] = Matter(each, self.rules)
            self.looks[each.id] = None
        said = iter([line for line in lines if not (isinstance(line, Line) and line.is_the_clocks)])
        ahead = next(said, None)
        for entry in journal:
            if isinstance(entry, Released):
                self._release(entry.appeal)
            elif isinstance(entry, Stretch):
                for at in self._instants(entry):
                    self._live(at)
            else:
                while ahead is not None and ahead.id <= entry.heard:
                    self._hear(ahead)
                    ahead = next(said, None)
                self._live(entry.at, sends=entry.sends)
        assert ahead is None, f"the journal ends before {ahead}"

    def _live(self, at: datetime, *, sends: bool = True) -> None:
        """Ring until nothing is due, and send; or ring once and die."""
        self._ring(at)
        while sends and self._to_remind(at):
            self._ring(at)
        if sends:
            self._send(at)

    def _instants(self, stretch: Stretch) -> Iterator[datetime]:
        """The moments of a stretch at which something has to be done."""
        at = stretch.since
        while (upcoming := self._upcoming(at)) is not None and upcoming <= stretch.until:
            at = upcoming
            yield at

    def _upcoming(self, after: datetime) -> datetime | None:
        moments = [look for look in self.looks.values() if look is not None]
        moments += [self._hears(person, after) for person, notes in self.owed.items() if notes]
        moments += [letter.due for letter in self.waiting]
        return min((moment for moment in moments if moment > after), default=None)

    # The steps of people ---------------------------------------------------------------------------------------------
    def _hear(self, line: Said) -> None:
        if isinstance(line, LeaveLine):
            self.roster.absences.read(line)
        elif isinstance(line, Succession):
            self.roster.succeed(line)
        else:
            self._step(line)

    def _step(self, line: Line) -> None:
        """A step. The clock looks when the next rung comes, or at once where this step brought one.

        It looks at once as well where a rung was reached that it had not seen to yet.
        """
        matter, look = self.matters[line.appeal], self.looks[line.appeal]
        before = self._reached_keys(matter, line.at)
        matter.read(line)
        after = self._reached_keys(matter, line.at)
        unseen = look is not None and look <= line.at
        at_once = after and (unseen or after - before)
        self.looks[line.appeal] = line.at if at_once else self._next_look(matter, line.at)

    def _reached_keys(self, matter: Matter, at: datetime) -> set[RungKey]:
        return {each.key(matter) for each in climb(matter, self.rules) if each.at <= at}

    def _next_look(self, matter: Matter, after: datetime) -> datetime | None:
        if matter.status == "suspended":
            return matter.wakes
        return next((each.at for each in climb(matter, self.rules) if each.at > after), None)

    def _release(self, appeal: int) -> None:
        for note in self.notes.values():
            if note.matter == appeal and note.state == "held":
                note.state = "owed"
                self.owed.setdefault(note.person, []).append(note)

    # The clock looks -------------------------------------------------------------------------------------------------
    def _sweep(self, at: datetime) -> None:
        due = sorted((look, each) for each, look in self.looks.items() if look is not None and look <= at)
        for _, matter_id in due:
            matter = self.matters[matter_id]
            if matter.status == "suspended" and matter.wakes and matter.wakes <= at:
                line = matter.wake()
                self.woken.append((line.appeal, line.version, line.at))
            self._note(matter, at)
            self.looks[matter_id] = self._next_look(matter, at)

    def _note(self, matter: Matter, at: datetime) -> None:
        """Each rung once for each person; of what one person is owed of a matter the highest rung is told."""
        fresh: set[int] = set()
        for reached in [each for each in climb(matter, self.rules) if each.at <= at]:
            new = self._for_whom(matter, reached, at)
            for person in new:
                self._put_down(matter, reached, person, at)
            if not reached.rung.release:
                fresh.update(new)
            elif new:
                self.asked += [(person, matter.filed.id) for person in self.roster.present("coordinator", at)]
        for person in sorted(fresh):
            self._tell_the_highest(matter.filed.id, person)

    def _tell_the_highest(self, matter: int, person: int) -> None:
        mine = [note for note in self.owed.get(person, []) if note.matter == matter]
        for lower in sorted(mine, key=attrgetter("due", "place"))[:-1]:
            self._settle(lower, "superseded")

    def _for_whom(self, matter: Matter, reached: Reached, at: datetime) -> list[int]:
        """Those whom the rung means and for whom it was not noted before."""
        told = [self.roster.hear(one, matter, reached.clock.part, at) for one in reached.rung.tell]
        people = dict.fromkeys(person for meant in told for person in meant)
        return [person for person in people if (reached.key(matter), person) not in self.notes]

    def _put_down(self, matter: Matter, reached: Reached, person: int, at: datetime) -> None:
        key = reached.key(matter)
        if reached.rung.release:
            self.notes[key, person] = Note(key, person, reached.at, at, len(self.notes), "held")
        else:
            self._owe(key, person, reached.at, at)

    def _owe(self, key: RungKey, person: int, due: datetime, noted: datetime) -> None:
        note = Note(key, person, due, noted, len(self.notes), "owed")
        self.notes[key, person] = note
        self.owed.setdefault(person, []).append(note)

    def _settle(self, note: Note, state: str) -> None:
        note.state = state
        self.owed[note.person].remove(note)

    # People are reminded ---------------------------------------------------------------------------------------------
    def _hears(self, person: int, at: datetime) -> datetime:
        """What is urgent goes out at once, everything else at a decent hour."""
        urgent = any(self.matters[note.matter].urgent for note in self.owed[person])
        return at if urgent else self._calm(person, at)

    def _calm(self, person: int, at: datetime) -> datetime:
        office, most = self.roster.in_office(person), self.rules.reminders_a_day
        return calm(self.rules.calendar, at, self.told.get(person, []), office=office, most=most)

    def _ring(self, at: datetime) -> None:
        """Look at what is due, sort out whose it still is, then remind each person once.

        Whoever may be reminded only because something urgent was passed on to him is sorted out as well: of nobody who
        is written to is a rung kept as owed whose work is done.
        """
        self._sweep(at)
        done: set[int] = set()
        while fresh := [person for person in self._to_remind(at) if person not in done]:
            for person in fresh:
                self._sort_out(person, at)
            done.update(fresh)
        for person in self._to_remind(at):
            self._write_to(person, at)

    def _to_remind(self, at: datetime) -> list[int]:
        return sorted(person for person, notes in self.owed.items() if notes and self._hears(person, at) <= at)

    def _sort_out(self, person: int, at: datetime) -> None:
        for note in sorted(self.owed[person], key=attrgetter("due", "place")):
            if not self._still_holds(note.key):
                self._settle(note, "void")
            elif person not in self._meant_by(note, at):
                self._pass_on(note, at)

    def _write_to(self, person: int, at: datetime) -> None:
        all_may_go = self._calm(person, at) <= at
        mine = sorted(self.owed[person], key=attrgetter("due", "place"))
        saying = [note for note in mine if all_may_go or self.matters[note.matter].urgent]
        for note in saying:
            assert self._sees(person, note.key, at), f"{note} is for somebody who may not know of it"
        reached = person in self.roster.reached
        for note in saying:
            self._settle(note, "told" if reached else "unreachable")
            note.told = at if reached else None
        if saying and reached:
            self.told.setdefault(person, []).append(at)
            self.waiting.append(Letter(person, at, [note.key for note in saying]))

    def _clock_of(self, key: RungKey) -> Ticking | None:
        clocks = self.matters[key[0]].ticking()
        return next((clock for clock in clocks if (clock.name, clock.round) == key[1:3]), None)

    def _still_holds(self, key: RungKey) -> bool:
        return self._clock_of(key) is not None

    def _sees(self, person: int, key: RungKey, at: datetime) -> bool:
        return self.roster.may_see(person, self.matters[key[0]], at)

    def _meant_by(self, note: Note, at: datetime) -> list[int]:
        """For whom a rung is now."""
        matter, clock = self.matters[note.matter], self._clock_of(note.key)
        assert clock is not None
        rungs = [rung for rung in rungs_of(matter, clock, self.rules) if rung.label == note.key[3]]
        told = [self.roster.hear(one, matter, clock.part, at) for rung in rungs for one in rung.tell]
        return sorted({person for meant in told for person in meant})

    def _pass_on(self, note: Note, at: datetime) -> None:
        """Who has lost a matter, or is away, hears nothing more of it; who is meant now does, but for a new owner."""
        dispatched = self.matters[note.matter].dispatched
        if dispatched is None or dispatched <= note.due:
            for other in self._meant_by(note, at):
                if (note.key, other) not in self.notes:
                    self._owe(note.key, other, note.due, note.noted)
                self._tell_the_highest(note.matter, other)
        self._settle(note, "void")

    def _send(self, at: datetime) -> None:
        """What was done meanwhile, or is his to see no more, is struck; a message with nothing left does not leave.

        What one person was owed while the program was down leaves together: of each matter the last message speaks,
        for only the highest rung is told.
        """
        due = [letter for letter in self.waiting if letter.due <= at]
        self.waiting = [letter for letter in self.waiting if letter.due > at]
        spoken: set[tuple[int, int]] = set()
        for letter in reversed(due):
            owed = len(letter.about)
            holding = [key for key in letter.about if self._still_holds(key) and self._sees(letter.person, key, at)]
            letter.about = [key for key in holding if (letter.person, key[0]) not in spoken]
            self.struck += owed - len(letter.about)
            spoken |= {(letter.person, key[0]) for key in letter.about}
        for letter in due:
            if letter.about:
                letter.left = at
                self.letters.append(letter)
