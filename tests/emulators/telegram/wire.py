"""A plain client for the emulator's own tests: calls as JSON, as a form or as multipart, nothing in between."""

import asyncio
from types import TracebackType
from typing import Any, Self

import aiohttp

from .emulator import TelegramEmulator


class Wire:
    """An emulator that runs, and a client that speaks to it."""

    def __init__(self, **options: Any) -> None:
        self.emulator = TelegramEmulator(**options)
        self.session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        await self.emulator.start()
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.emulator.stop()

    def url(self, method: str, token: str | None = None) -> str:
        """The address of a method."""
        return f"{self.emulator.api_base}/bot{token or self.emulator.token}/{method}"

    async def ask(self, method: str, token: str | None = None, **params: Any) -> dict[str, Any]:
        """The whole answer to a JSON call."""
        async with self.session.post(self.url(method, token), json=params) as answer:
            found: dict[str, Any] = await answer.json()
        assert found["ok"] or found["error_code"] == answer.status
        return found

    async def call(self, method: str, **params: Any) -> Any:
        """The result of a JSON call that must succeed."""
        answer = await self.ask(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    async def refused(self, method: str, **params: Any) -> tuple[int, str]:
        """Status and description of a JSON call that must fail."""
        answer = await self.ask(method, **params)
        assert not answer["ok"], answer
        return answer["error_code"], answer["description"]

    async def form(self, method: str, fields: dict[str, str]) -> Any:
        """The whole answer to a form."""
        async with self.session.post(self.url(method), data=fields) as answer:
            return await answer.json()

    async def ids(self, **params: Any) -> list[int]:
        """The update ids a getUpdates returns."""
        return [update["update_id"] for update in await self.call("getUpdates", **params)]

    async def polls(self, **params: Any) -> "asyncio.Task[dict[str, Any]]":
        """A getUpdates that waits, once the emulator has it."""
        task = asyncio.ensure_future(self.ask("getUpdates", **{"timeout": 30, **params}))
        before = self.emulator.core.updates.poll
        while self.emulator.core.updates.poll in (None, before):  # noqa: ASYNC110 - the server has no bell for this
            await asyncio.sleep(0)
        return task
