"""The queue of updates and its long poll, with the platform's offset semantics."""

import asyncio
import json
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from .errors import POLL_WITH_WEBHOOK, TWO_POLLS, Refused, conflict
from .schema import API

KINDS = [name for name in API["types"]["Update"]["fields"] if name != "update_id"]
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
DEFAULT_KINDS = frozenset(KINDS) - NOT_BY_DEFAULT


class Update:
    """One update, and the lane (chat) whose order it keeps; its JSON is spelled once."""

    __slots__ = ("body", "id", "lane", "number", "twice", "written")

    def __init__(self, number: int, body: dict[str, Any], lane: int) -> None:
        self.number = number
        self.body = body
        self.id: int = body["update_id"]
        self.lane = lane
        self.twice = False
        self.written = json.dumps(body)


def lane_of(body: dict[str, Any]) -> int:
    """The chat an update belongs to, else its person, else 0; raw updates may have any shape."""
    for name, inner in body.items():
        if name == "update_id" or not isinstance(inner, dict):
            continue
        for holder in (inner, inner.get("message")):
            chat = holder.get("chat") if isinstance(holder, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return int(chat["id"])
        sender = inner.get("from")
        if isinstance(sender, dict) and isinstance(sender.get("id"), int):
            return int(sender["id"])
    return 0


class Updates:
    """What waits to be fetched or delivered; an update leaves when it is confirmed."""

    def __init__(self, start: int = 1) -> None:
        self.next_id = start
        self.numbers = 0
        self.waiting: OrderedDict[int, Update] = OrderedDict()
        self.allowed: frozenset[str] = DEFAULT_KINDS
        self.echoes: deque[Update] = deque()
        self.echoed: list[Update] = []
        self.duplicates: int | None = 0
        self.shuffling: random.Random | None = None
        self.highest = start - 1
        self.disordered = False
        self.poll: asyncio.Future[Refused | None] | None = None
        self.quiet: list[asyncio.Future[None]] = []
        self.webhook = False
        self.listener: Callable[[Update], None] | None = None

    # ------------------------------------------------------------ putting in

    def put(self, kind: str, inner: dict[str, Any], extra: dict[str, Any] | None = None) -> int | None:
        """Queue an update of a kind; None if the bot did not ask for that kind."""
        if kind not in self.allowed:
            return None
        body = {"update_id": self.next_id, kind: inner}
        if extra:
            body.update(extra)
        return self.push(body)

    def push(self, body: dict[str, Any]) -> int:
        """Queue an update as it is, whatever is in it; it gets an id if it brings none."""
        if "update_id" not in body:
            body = {"update_id": self.next_id, **body}
        number = body["update_id"]
        self.next_id = max(self.next_id, number + 1)
        self.disordered = self.disordered or number <= self.highest
        self.highest = max(self.highest, number)
        self.numbers += 1
        update = Update(self.numbers, body, lane_of(body))
        if self.duplicates is None or self.duplicates > 0:
            update.twice = True
            self.duplicates = None if self.duplicates is None else self.duplicates - 1
        self.waiting[update.number] = update
        if self.listener:
            self.listener(update)
        self.wake()
        return int(number)

    def jump(self, to: int) -> None:
        """Go on counting from another id, as the platform does after a quiet week."""
        self.next_id = to
        self.highest = max(self.highest, to - 1)
        if self.waiting and next(reversed(self.waiting.values())).id >= to:
            self.disordered = True

    def allow(self, kinds: Iterable[str] | None) -> None:
        """Remember which kinds the bot wants; an empty list is the default set, None changes nothing."""
        if kinds is not None:
            self.allowed = frozenset(kinds) or DEFAULT_KINDS

    # ------------------------------------------------------------ taking out

    def pending(self) -> bool:
        """Whether anything is queued that was not confirmed."""
        return bool(self.waiting or self.echoes or self.echoed)

    def confirm(self, update: Update) -> None:
        """Drop one update; if it is to come twice, it comes once more."""
        if self.waiting.pop(update.number, None) is None:
            return
        if update.twice:
            update.twice = False
            self.echoes.append(update)

    def confirm_below(self, offset: int) -> None:
        """Drop all updates with a smaller id than `offset`."""
        if self.disordered:
            done = [update for update in self.waiting.values() if update.id < offset]
        else:
            done = []
            for update in self.waiting.values():
                if update.id >= offset:
                    break
                done.append(update)
        for update in done:
            self.confirm(update)
        if not self.waiting:
            self.disordered = False
        self.rest()

    def drop(self) -> None:
        """Forget everything that waits."""
        self.waiting.clear()
        self.echoes.clear()
        self.echoed.clear()
        self.rest()

    def rest(self) -> None:
        """Tell those who wait for it that nothing is queued any more."""
        if self.quiet and not self.pending():
            for future in self.quiet:
                if not future.done():
                    future.set_result(None)
            self.quiet.clear()

    async def until_quiet(self) -> None:
        """Wait until everything queued is confirmed."""
        if self.pending():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.quiet.append(future)
            await future

    # ------------------------------------------------------------ the long poll

    def wake(self) -> None:
        """Let the poll that waits look again."""
        if self.poll and not self.poll.done():
            self.poll.set_result(None)

    def interrupt(self, refusal: Refused) -> None:
        """End the poll that waits with an error."""
        if self.poll and not self.poll.done():
            self.poll.set_result(refusal)

    async def fetch(self, offset: int, limit: int, timeout: float) -> list[Update]:
        """One getUpdates: confirm below the offset, then up to `limit` updates, waiting at most `timeout` seconds."""
        if self.webhook:
            raise conflict(POLL_WITH_WEBHOOK)
        self.interrupt(conflict(TWO_POLLS))
        self.settle(offset)
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        while True:
            if batch := self.batch(limit):
                return batch
            if (left := until - loop.time()) <= 0:
                return []
            await self.wait(left)

    async def wait(self, seconds: float) -> None:
        """Sit in a long poll until something comes, the time is over, or another request ends it."""
        poll: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self.poll = poll
        try:
            refusal = await asyncio.wait_for(poll, seconds)
        except TimeoutError:
            return
        finally:
            if self.poll is poll:
                self.poll = None
        if refusal:
            raise refusal

    def settle(self, offset: int) -> None:
        """Apply an offset: positive confirms below it, negative keeps only the last so many."""
        self.echoed.clear()
        if offset < 0:
            keep = max(len(self.waiting) + offset, 0)
            for update in list(islice(self.waiting.values(), keep)):
                self.confirm(update)
        if offset > 0:
            self.confirm_below(offset)
        self.rest()

    def batch(self, limit: int) -> list[Update]:
        """What a poll returns now: repeats first, then from the earliest update on."""
        repeats = [self.echoes.popleft() for _ in range(min(limit, len(self.echoes)))]
        self.echoed += repeats
        found = repeats + list(islice(self.waiting.values(), limit - len(repeats)))
        if self.shuffling and len(found) > 1:
            order = list(found)
            while found == order:
                self.shuffling.shuffle(found)
        return found
