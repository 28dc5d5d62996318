"""Delivery of updates to a webhook: chats in parallel, one chat in order, again until it is taken."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp

from .updates import Update, Updates


class Webhook:
    """The one webhook of the bot; `url` is empty while it polls."""

    base_delay = 0.05  # seconds before the second repetition; doubles from there on
    longest_delay = 1.0

    def __init__(self, updates: Updates, wall: Callable[[], float]) -> None:
        self.updates = updates
        self.wall = wall
        self.url = ""
        self.secret: str | None = None
        self.connections = 40
        self.last_error: tuple[float, str] | None = None
        self.paused = False
        self.lanes: dict[int, deque[Update]] = {}
        self.ready: deque[int] = deque()
        self.failures: dict[int, int] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.timers: set[asyncio.TimerHandle] = set()
        self.session: aiohttp.ClientSession | None = None
        self.attempts: list[tuple[int, int | None]] = []

    def set(self, url: str, secret: str | None, connections: int) -> None:
        """Point the webhook somewhere and start with what waits; updates under way are delivered anew."""
        self.clear()
        self.url, self.secret, self.connections = url, secret, connections
        self.updates.webhook = True
        self.updates.listener = self.add
        for update in list(self.updates.waiting.values()):
            self.add(update)

    def clear(self) -> None:
        """No webhook any more; what was not taken waits for a poll."""
        self.url, self.secret = "", None
        self.updates.webhook = False
        self.updates.listener = None
        self.lanes.clear()
        self.ready.clear()
        self.failures.clear()
        for task in self.tasks:
            task.cancel()
        for timer in self.timers:
            timer.cancel()
        self.tasks.clear()
        self.timers.clear()

    def add(self, update: Update) -> None:
        """Put an update at the end of its chat's lane."""
        lane = self.lanes.setdefault(update.lane, deque())
        lane.append(update)
        if len(lane) == 1:
            self.ready.append(update.lane)
            self.pump()

    def pump(self) -> None:
        """Start deliveries while there are lanes to serve and connections to serve them with."""
        while self.ready and len(self.tasks) < self.connections and not self.paused:
            task = asyncio.get_running_loop().create_task(self.serve(self.ready.popleft()))
            self.tasks.add(task)
            task.add_done_callback(self.finish)

    def finish(self, task: asyncio.Task[None]) -> None:
        """A delivery is over: make room for the next one."""
        if task in self.tasks:
            self.tasks.discard(task)
            self.pump()

    async def serve(self, lane: int) -> None:
        """Deliver the first update of a lane once, and see to it that the lane goes on."""
        update = self.lanes[lane][0]
        if problem := await self.deliver(update):
            self.last_error = (self.wall(), problem)
            self.later(lane)
            return
        self.failures.pop(lane, None)
        self.taken(lane, update)

    def taken(self, lane: int, update: Update) -> None:
        """The client took an update: confirm it, and repeat it at once if it is to come twice."""
        waiting = self.lanes[lane]
        if update.twice:
            update.twice = False
        else:
            waiting.popleft()
            self.updates.confirm(update)
            self.updates.rest()
        if waiting:
            self.ready.append(lane)
        else:
            del self.lanes[lane]

    def later(self, lane: int) -> None:
        """Try a lane again: at once the first time, then after growing waits."""
        failed = self.failures[lane] = self.failures.get(lane, 0) + 1
        if failed == 1:
            self.ready.append(lane)
            return
        delay = min(self.base_delay * 2 ** min(failed - 2, 20), self.longest_delay)

        def again() -> None:
            self.timers.discard(timer)
            self.ready.append(lane)
            self.pump()

        timer = asyncio.get_running_loop().call_later(delay, again)
        self.timers.add(timer)

    async def deliver(self, update: Update) -> str | None:
        """POST one update; what went wrong, or None if it was taken."""
        if self.session is None:
            timeout = aiohttp.ClientTimeout(total=30)
            self.session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        headers = {"Content-Type": "application/json"}
        if self.secret is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        status: int | None = None
        try:
            async with self.session.post(self.url, data=update.written.encode(), headers=headers) as answer:
                status = answer.status
                await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            self.attempts.append((update.id, None))
            return f"Connection failed: {type(lost).__name__}"
        self.attempts.append((update.id, status))
        if 200 <= status < 300:
            return None
        return f"Wrong response from the webhook: {status}"

    def info(self) -> dict[str, Any]:
        """The WebhookInfo object."""
        found: dict[str, Any] = {"url": self.url, "has_custom_certificate": False}
        found["pending_update_count"] = len(self.updates.waiting) + len(self.updates.echoes)
        if self.last_error:
            at, problem = self.last_error
            found["last_error_date"] = int(at)
            found["last_error_message"] = problem
        if self.url:
            found["max_connections"] = self.connections
        found["allowed_updates"] = sorted(self.updates.allowed)
        return found

    async def close(self) -> None:
        """Stop delivering and let go of all connections."""
        tasks = list(self.tasks)
        self.clear()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.session:
            await self.session.close()
            self.session = None
