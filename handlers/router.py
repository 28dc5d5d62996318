"""From a request to its reply: Request, Reply, Ask, and perform(), the one way in which a person gets anything done."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain import access
from domain.appeal import NOTHING, OPEN, Appeal, Change, Details, Status
from domain.chat import Attachment, Incoming
from domain.errors import Refused, Stale
from domain.lifecycle import open_to, take
from domain.notices import button
from domain.people import Chat, Person
from domain.rules import Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from storage import appeals, people
from storage.database import Tx
from storage.listeners import rows
from storage.scope import SYSTEM, Scope, scope_of

MOST_CHOICES = 8
RERUNS = 3
Buttons = tuple[tuple[Button, ...], ...]
Fits = Callable[[Appeal], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a text key with facts. `private`: where it was asked in a group, the answer goes privately.

    `appeal` is what the message is about, so that a reply to it stands for its number. A reply with `keep` asks for
    more, as Ask does, but what was done so far stays done.
    """

    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    buttons: Buttons = ()
    private: bool = False
    appeal: Appeal | None = None
    files: tuple[Mapping[str, Any], ...] = ()
    keep: Mapping[str, Any] | None = None


class Ask(Exception):
    """Something is missing: the question is put, and the next answer of this person in this chat completes the command.

    `keep` is remembered with it; `offers` are verbs that may be pressed instead and take the text that was given.
    `private`: put in a group, the question goes to the private chat and is answered there. `verb` is what the answer
    completes, where it is not the verb that was asked for.
    """

    def __init__(
        self,
        key: str,
        facts: Mapping[str, Fact] | None = None,
        buttons: Buttons = (),
        *,
        keep: Mapping[str, Any] | None = None,
        offers: Sequence[Verb] = (),
        private: bool = False,
        verb: Verb | None = None,
    ) -> None:
        super().__init__(key)
        self.key = key
        self.facts: Mapping[str, Fact] = facts or {}
        self.buttons = buttons
        self.keep: Mapping[str, Any] = keep or {}
        self.offers = tuple(offers)
        self.private = private
        self.verb = verb


class Overheard(Exception):
    """People talk among themselves: what sounded like a command was none, and nothing is answered."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that a person wants, with all that may be looked at; its only outlets are `tx` and the Reply.

    `casual`: a bare word among people in a group, which may be meant for them.
    """

    tx: Tx
    rules: Rules
    at: datetime
    verb: Verb
    person: Person | None
    account_id: int
    chat: Chat
    message: Incoming
    text: str = ""
    numbers: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    reply_to_appeal: int | None = None
    button: Button | None = None
    answered: Mapping[str, Any] = field(default_factory=dict)
    word: str = ""
    casual: bool = False

    @property
    def who(self) -> Person:
        """The person; perform() lets nobody unknown through to a handler that asks for him."""
        if self.person is None:
            raise Refused("refused.stranger")
        return self.person

    @property
    def argument(self) -> str:
        """What the pressed button carries besides verb, number and version."""
        return (self.button.argument or "") if self.button else ""

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The attachments as history keeps them."""
        return tuple((file.hash, file.name) for file in self.attachments)

    def need_text(self, ask: str, facts: Mapping[str, Fact] | None = None) -> str:
        """What was written along; if nothing was, it is asked for."""
        if not self.text.strip():
            raise Ask(ask, facts)
        return self.text.strip()

    async def scope(self) -> Scope:
        """What this person may see."""
        return scope_of(self.who, await people.headed_by(self.tx, self.who))

    async def relations(self, appeal: Appeal) -> frozenset[access.Relation]:
        """How this person stands to an appeal."""
        firm = await people.enterprise(self.tx, appeal.enterprise_id)
        return access.relations(self.who, appeal, firm, await people.headed_by(self.tx, self.who))

    async def appeal(self, fits: Fits | None = None) -> Appeal:
        """The appeal that is meant, if this person may do this to it.

        By number, by the message replied to, by the pressed button, or because only one fits (and is one that `fits`
        likes, if given); several are offered to pick from. One that he may not see is answered exactly like one that
        does not exist.
        """
        meant = await self._meant(fits)
        held = await self.relations(meant)
        if not held:
            raise Refused("refused.not_found", {"number": meant.number})
        if not self._may(held):
            raise Refused("refused.not_yours", {"number": meant.number, "verb": Said(f"verb.{self.verb}")})
        await self._must_be_current(meant)
        return meant

    async def known(self) -> Appeal:
        """The appeal that is named, replied to or pressed, whatever may be done to it."""
        return await self._meant(None)

    async def step(self, appeal: Appeal, verb: Verb | None = None, details: Details = NOTHING) -> Appeal:
        """Take a step of the life cycle and record it; the appeal as it is afterwards."""
        change = take(
            appeal, verb or self.verb, by=self.who.id, at=self.at, rules=self.rules, details=details
        )
        return await self.record(change)

    async def record(self, change: Change) -> Appeal:
        """Record a change through the one door."""
        return await appeals.record(self.tx, change, self.rules)

    async def _meant(self, fits: Fits | None) -> Appeal:
        scope = await self.scope()
        number = self.numbers[0] if self.numbers else (self.button.number if self.button else None)
        if number is None and self.reply_to_appeal is not None:
            replied = await appeals.by_id(self.tx, self.reply_to_appeal, SYSTEM)
            number = replied.number if replied else None
        if number is not None:
            return await self._numbered(number, scope)
        return await self._only_one(scope, fits)

    async def _numbered(self, number: str, scope: Scope) -> Appeal:
        found = await appeals.get(self.tx, number, scope)
        if found is None:
            raise Refused("refused.not_found", {"number": number})
        return found

    async def _only_one(self, scope: Scope, fits: Fits | None) -> Appeal:
        """The single appeal that the verb fits and that this person may do it to."""
        fitting = await self._fitting(scope)
        if fits is not None:
            fitting = [found for found in fitting if await fits(found)]
        if not fitting and self.casual:
            raise Overheard
        if not fitting:
            raise Refused("refused.nothing_fits", {"verb": Said(f"verb.{self.verb}")})
        if len(fitting) > 1:
            raise self._which(fitting)
        return fitting[0]

    async def _fitting(self, scope: Scope) -> list[Appeal]:
        statuses = open_to(self.verb) or OPEN | {Status.RESOLVED}
        return [
            found
            for found in await appeals.visible(self.tx, scope, statuses)
            if self._may(await self.relations(found), found.status)
        ]

    def _may(self, held: frozenset[access.Relation], status: Status | None = None) -> bool:
        """Who works on a part says of it with the handler's words what the handler says of the whole."""
        twin = access.TWINS.get(self.verb)
        return access.may(self.verb, held, status) or (twin is not None and access.may(twin, held & _PARTS, status))

    def _which(self, fitting: Sequence[Appeal]) -> Ask:
        more = len(fitting) - MOST_CHOICES
        rest = Said("ask.which_rest", {"count": more}) if more > 0 else None
        facts = {"verb": Said(f"verb.{self.verb}"), "rest": rest}
        return Ask("ask.which", facts, self._choices(fitting), private=True)

    def _choices(self, fitting: Sequence[Appeal]) -> Buttons:
        return tuple(
            (
                Button(
                    Verb.PICK, found.number, argument=self.verb.value, label=f"#{found.number} {found.title}"
                ),
            )
            for found in fitting[:MOST_CHOICES]
        )

    async def _must_be_current(self, appeal: Appeal) -> None:
        """A button of an outdated version changes nothing: its presser is shown what has become of it."""
        version = self.button.version if self.button else None
        if version is None or not await appeals.moved_since(self.tx, appeal, version):
            return
        firm = appeal.enterprise_id in self.who.enterprise_ids
        word = Said(f"status.{appeal.status}.firm" if firm else f"status.{appeal.status}")
        raise Refused("refused.outdated", {"number": appeal.number, "title": appeal.title, "status": word})


_PARTS = frozenset({access.Relation.CO_HANDLER})

Handler = Callable[[Request], Awaitable[Reply | None]]

FOR_STRANGERS = frozenset({Verb.HELP, Verb.BIND, Verb.CANCEL})
_NOT_OF_STRANGERS = frozenset(access.WITH_APPEAL) | {Verb.CONFIRM}
"""Bare words that somebody unknown, who has no matter yet, says to the others only."""


class Router:
    """The explicit list of what can be asked for, and the one place where a request is let through."""

    def __init__(
        self,
        commands: Mapping[Verb, Handler],
        kept: Handler,
        around: Callable[[Verb], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        """`kept` takes what a person says whom nobody has bound yet; `around` surrounds whatever is done."""
        self.commands = commands
        self._kept = kept
        self._around = around

    def surrounded(self, around: Callable[[Verb], AbstractContextManager[None]]) -> "Router":
        """The same list, with something around whatever is done."""
        return Router(self.commands, self._kept, around)

    def known_among(self, words: Mapping[str, Verb]) -> Mapping[str, Verb]:
        """The command words of what is on the list; 融资 and 办不了 have a verb, no handler, and begin sentences."""
        return {word: verb for word, verb in words.items() if verb in self.commands}

    async def perform(self, request: Request) -> Reply | None:
        """May he? Run; refuse; run again when somebody was faster (three times at most, then "busy").

        Raises Refused and Ask for the caller to tell; whatever the handler wrote before is rolled back then.
        """
        handler = self._handler(request)
        for _ in range(RERUNS):
            try:
                with self._around(request.verb):
                    async with request.tx.savepoint():
                        return await handler(request)
            except Stale:
                continue
        raise Refused("refused.busy")

    def _handler(self, request: Request) -> Handler:
        stranger = request.person is None and request.verb not in FOR_STRANGERS
        handler = self.commands.get(request.verb)
        if request.casual and (handler is None or (stranger and request.verb in _NOT_OF_STRANGERS)):
            raise Overheard
        if stranger:
            return self._kept
        if handler is None:
            raise Refused("refused.unknown_command", {"word": request.word or Said(f"verb.{request.verb}")})
        known = request.verb in access.WITHOUT_APPEAL
        if known and request.person is not None and not access.may_ask(request.verb, request.person):
            raise Refused("refused.not_for_you", {"verb": Said(f"verb.{request.verb}")})
        return handler


def one_row(*buttons: Button) -> Buttons:
    """Buttons set three to a row."""
    return rows(buttons)


def for_appeal(appeal: Appeal, *verbs: Verb) -> Buttons:
    """The buttons of an appeal as it is now."""
    return rows([button(verb, appeal) for verb in verbs])


def with_verb(request: Request, verb: Verb) -> Request:
    """The same request under another verb."""
    return replace(request, verb=verb)
