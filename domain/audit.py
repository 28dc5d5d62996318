"""Walks along the chain of seals and says of each fault what was tampered with; see docs/audit.md."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations

from domain import chain
from domain.chain import Body, Head

MOST_WEIGHED = 300
"""So many links that do not fit are compared with each other; of more than that each is told as it stands."""


class Kind(StrEnum):
    """What can be wrong; `event` faults first, then those of seals, texts and heads."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    OUT_OF_ORDER = "out_of_order"
    SEAL_CHANGED = "seal_changed"
    SEAL_MISSING = "seal_missing"
    UNPROVEN = "unproven"
    TEXT_CHANGED = "text_changed"
    TEXT_INSERTED = "text_inserted"
    STEP_MISSING = "step_missing"
    WRONG_KEY = "wrong_key"
    CUT = "cut"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `n` is the seal (0 for none), `event` the event's id and `appeal` its number where they are known.

    `other` is the second event of a pair, or the first and last of what is missing between them.
    """

    kind: Kind
    n: int = 0
    event: int | None = None
    appeal: str | None = None
    other: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What a person wrote with an event, as it is kept apart."""

    salt: str
    body: str


@dataclass(frozen=True, slots=True)
class Link:
    """A seal with the event it is for; `body` is None where that event is gone."""

    n: int
    event: int
    hash: str
    body: Body | None
    appeal: str | None = None
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class Orphan:
    """An event without a seal."""

    event: int
    body: Body
    appeal: str | None = None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A link that does not fit what stands before it."""

    link: Link
    before: str

    def fits(self, key: bytes, *, link: Link | None = None, body: Body | None = None, before: str = "") -> bool:
        """Whether it would fit with another link in its place, another body, or another hash before it."""
        there = link or self.link
        bound = body or there.body
        if bound is None:
            return False
        return chain.bind(key, self.link.n, there.event, before or self.before, bound) == there.hash


@dataclass(frozen=True, slots=True)
class _Gap:
    """Seals that are not there: those before `after`, behind number `n` with its hash and event."""

    n: int
    hash: str
    event: int
    after: Link

    @property
    def length(self) -> int:
        """How many."""
        return self.after.n - self.n - 1


@dataclass(slots=True)
class Walk:
    """One way along the chain, with flat memory: `see` every link in order, then `end` with the events left over."""

    key: bytes
    heads: Sequence[Head] = ()
    n: int = 0
    erased: int = 0
    _hash: str = ""
    _event: int = 0
    _doubts: list[_Doubt] = field(default_factory=list)
    _gaps: list[_Gap] = field(default_factory=list)
    _met: set[Head] = field(default_factory=set)

    def start(self, seal_zero: str) -> Iterator[Fault]:
        """Seal 0: whether the chain is of this key."""
        self._hash = seal_zero
        if seal_zero != chain.begin(self.key):
            yield Fault(Kind.WRONG_KEY)

    def see(self, link: Link) -> Iterator[Fault]:
        """The next link; what can be told of it at once."""
        doubt = _Doubt(link, self._hash)
        if link.n != self.n + 1:
            yield from self._mind_gap(link)
        elif not doubt.fits(self.key):
            yield from self._doubt(doubt)
        yield from self._compare(link)
        yield from self._read(link)
        self.n, self._hash, self._event = link.n, link.hash, link.event

    def _mind_gap(self, link: Link) -> Iterator[Fault]:
        gap = _Gap(self.n, self._hash, self._event, link)
        if len(self._gaps) < MOST_WEIGHED:
            self._gaps.append(gap)
        else:
            yield from _lost(gap)

    def _doubt(self, doubt: _Doubt) -> Iterator[Fault]:
        if len(self._doubts) < MOST_WEIGHED:
            self._doubts.append(doubt)
        else:
            yield _plain(doubt)

    def _compare(self, link: Link) -> Iterator[Fault]:
        """Hold the link against the heads that somebody kept."""
        for head in self.heads:
            same = link.hash.startswith(head.start)
            if head.n == link.n and not same:
                yield Fault(Kind.REWRITTEN, link.n)
            if head.n == link.n or (head.n is None and same):
                self._met.add(head)

    def _read(self, link: Link) -> Iterator[Fault]:
        """Hold the words against the digest in the event; words that were erased are counted."""
        if link.body is None:
            return
        digest = link.body[chain.COLUMNS.index("text_digest")]
        if link.words is None:
            self.erased += digest is not None
        elif digest is None:
            yield Fault(Kind.TEXT_INSERTED, link.n, link.event, link.appeal)
        elif hashlib.sha256((link.words.salt + link.words.body).encode()).hexdigest() != digest:
            yield Fault(Kind.TEXT_CHANGED, link.n, link.event, link.appeal)

    @property
    def missing_seals(self) -> int:
        """How many seals are lacking amid the chain, at least."""
        return sum(gap.length for gap in self._gaps)

    def end(self, orphans: Sequence[Orphan], floor: int) -> Sequence[Fault]:
        """What shows only when all was seen.

        `orphans` are the first events without a seal, as many as it lacks seals and some more, in order of their ids;
        those up to the id `floor` are not waiting for one.
        """
        found, used = self._close_gaps(orphans)
        moved, doubts = _moved_seals(self.key, self._doubts, [each for each in orphans if each.event not in used])
        used |= {fault.event for fault in moved if fault.event}
        strangers = (each for each in orphans if each.event <= floor and each.event not in used)
        found += [Fault(Kind.INSERTED, 0, each.event, each.appeal) for each in strangers]
        found += [*moved, *_weigh(self.key, doubts)]
        lost = (head for head in self.heads if head not in self._met and (head.n is None or head.n > self.n))
        found += [Fault(Kind.CUT, self.n, other=head.n) for head in lost]
        return sorted(found, key=lambda fault: (fault.n, fault.event or 0))

    def _close_gaps(self, orphans: Sequence[Orphan]) -> tuple[list[Fault], set[int]]:
        """Find the events whose seals were taken away; where they prove the next link, that one is sound."""
        found: list[Fault] = []
        used: set[int] = set()
        for gap in self._gaps:
            free = [each for each in orphans if each.event not in used]
            fitting = _fill(self.key, gap, free)
            used |= {each.event for each in fitting}
            found += [Fault(Kind.SEAL_MISSING, n, each.event, each.appeal) for n, each in enumerate(fitting, gap.n + 1)]
            if not fitting:
                found += _lost(gap)
        return found, used


def _fill(key: bytes, gap: _Gap, orphans: Sequence[Orphan]) -> Sequence[Orphan]:
    """The events that belong into a gap, in order: those that lead to the hash of the link behind it."""
    for first in range(len(orphans) - gap.length + 1):
        chosen = orphans[first : first + gap.length]
        before = gap.hash
        for n, each in enumerate(chosen, gap.n + 1):
            before = chain.bind(key, n, each.event, before, each.body)
        if _Doubt(gap.after, before).fits(key):
            return chosen
    return ()


def _lost(gap: _Gap) -> Iterator[Fault]:
    """Seals that are gone together with their events; the ids are sure where just as many are free between."""
    between = range(gap.event + 1, gap.after.event)
    if len(between) == gap.length:
        yield from (Fault(Kind.MISSING, n, event) for n, event in enumerate(between, gap.n + 1))
    else:
        yield Fault(Kind.MISSING, gap.n + 1, None, other=gap.after.n - 1)
    gone = gap.after.body is None
    yield Fault(Kind.MISSING if gone else Kind.UNPROVEN, gap.after.n, gap.after.event, gap.after.appeal)


def _moved_seals(
    key: bytes, doubts: Sequence[_Doubt], orphans: Sequence[Orphan]
) -> tuple[list[Fault], Sequence[_Doubt]]:
    """Seals that name another event than the one they were made for."""
    found: list[Fault] = []
    left: list[_Doubt] = []
    for doubt in doubts:
        own = next((each for each in orphans if _is_meant(key, doubt, each)), None)
        if own is None:
            left.append(doubt)
        else:
            found.append(Fault(Kind.SEAL_CHANGED, doubt.link.n, own.event, own.appeal))
    return found, left


def _is_meant(key: bytes, doubt: _Doubt, orphan: Orphan) -> bool:
    return doubt.fits(key, link=replace(doubt.link, event=orphan.event), body=orphan.body)


def _plain(doubt: _Doubt) -> Fault:
    """As it stands: an event that is gone, or one that is not what it was."""
    kind = Kind.MISSING if doubt.link.body is None else Kind.CHANGED
    return Fault(kind, doubt.link.n, doubt.link.event, doubt.link.appeal)


def _weigh(key: bytes, doubts: Sequence[_Doubt]) -> list[Fault]:
    """Of the links that do not fit: which are swapped, which follow a changed seal, which are changed themselves."""
    found, left = _seals_in_wrong_places(key, list(doubts))
    changed_seals, left = _after_changed_seals(key, left)
    swapped, left = _swapped_bodies(key, left)
    return [*found, *changed_seals, *swapped, *map(_plain, left)]


def _after_changed_seals(key: bytes, doubts: list[_Doubt]) -> tuple[list[Fault], list[_Doubt]]:
    """A link whose own hash was changed: the next one fits what it should have been."""
    by_number = {doubt.link.n: doubt for doubt in doubts}
    found: list[Fault] = []
    for n, doubt in sorted(by_number.items()):
        following = by_number.get(n + 1)
        if following is None or doubt.link.body is None or n not in by_number:
            continue
        should = chain.bind(key, n, doubt.link.event, doubt.before, doubt.link.body)
        if following.fits(key, before=should):
            found.append(replace(_plain(doubt), kind=Kind.SEAL_CHANGED))
            del by_number[n], by_number[n + 1]
    return found, [doubt for doubt in doubts if doubt.link.n in by_number]


def _swapped_bodies(key: bytes, doubts: list[_Doubt]) -> tuple[list[Fault], list[_Doubt]]:
    """Two events that stand in each other's place."""
    found: list[Fault] = []
    done: set[int] = set()
    for one, two in combinations(doubts, 2):
        if done & {one.link.n, two.link.n} or not one.fits(key, body=two.link.body):
            continue
        if two.fits(key, body=one.link.body):
            done |= {one.link.n, two.link.n}
            found.append(replace(_plain(one), kind=Kind.SWAPPED, other=two.link.event))
    return found, [doubt for doubt in doubts if doubt.link.n not in done]


def _seals_in_wrong_places(key: bytes, doubts: list[_Doubt]) -> tuple[list[Fault], list[_Doubt]]:
    """Two seals that stand in each other's place; the links behind them fit again then."""
    found: list[Fault] = []
    left = {doubt.link.n: doubt for doubt in doubts}
    for one, two in combinations(doubts, 2):
        if one.link.n not in left or two.link.n not in left or not one.fits(key, link=two.link):
            continue
        before = two.link.hash if two.link.n == one.link.n + 1 else two.before
        if not two.fits(key, link=one.link, before=before):
            continue
        found.append(replace(_plain(one), kind=Kind.OUT_OF_ORDER, other=two.link.event))
        del left[one.link.n], left[two.link.n]
        _clear(key, left, one.link.n + 1, two.link.hash)
        _clear(key, left, two.link.n + 1, one.link.hash)
    return found, list(left.values())


def _clear(key: bytes, left: dict[int, _Doubt], n: int, before: str) -> None:
    if n in left and left[n].fits(key, before=before):
        del left[n]


