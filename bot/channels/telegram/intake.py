"""Brings Telegram's updates to the desk: committed first, confirmed afterwards, whether polled or called."""

import asyncio
import hmac
import json
import logging
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.channel import Desk, NotKept, Update
from bot.channels.telegram.api import Api
from bot.channels.telegram.reading import ALLOWED, NAME, chat_key
from bot.channels.telegram.refusals import wait_of

_log = logging.getLogger(__name__)

POLL_SECONDS = 25
MOST_UPDATES = 100
CONFLICT_SECONDS = 10.0
WRONG_TOKEN_SECONDS = 60.0
LONGEST_PAUSE = 30.0
STORAGE_SECONDS = 1.0
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - what the header is called


class Intake:
    """One bot account's updates. `bot` is its user name, known once Telegram has told it."""

    def __init__(self, api: Api, account: str) -> None:
        self._api = api
        self._account = account
        self._answering: set[asyncio.Task[None]] = set()
        self.bot = ""
        self.hears_all = False

    async def poll(self, desk: Desk) -> None:
        """Ask for updates without end. What is asked for next confirms what came before, so it is committed by then."""
        offset, failures = None, 0
        while True:
            try:
                found = await self._api.poll(
                    POLL_SECONDS, offset=offset, limit=MOST_UPDATES, allowed_updates=list(ALLOWED)
                )
                desk.heard(NAME)
                updates = _numbered(found)
                await self.bring(desk, updates)
                if found and not updates:
                    raise TelegramError("updates without a number, which nobody can confirm")
            except NotKept as trouble:
                _log.warning("what came in cannot be kept now, and is left with telegram: %s", trouble)
                await asyncio.sleep(STORAGE_SECONDS)
                continue
            except TelegramError as error:
                await pause_after(error, failures)
                offset, failures = None, failures + 1
                continue
            failures = 0
            # After a quiet poll, or a long trouble, ids may begin anew at any number: none is named then.
            offset = max((_number(update) for update in updates), default=-1) + 1 or None

    async def bring(self, desk: Desk, updates: Sequence[Mapping[str, Any]]) -> None:
        """Commit updates as they came, then stop the spinners of the buttons that were pressed."""
        if not updates:
            return
        told = {"bot": self.bot, "hears_all": self.hears_all}
        rows = [Update(str(_number(update)), chat_key(update), {"update": update, **told}) for update in updates]
        try:
            await desk.receive(NAME, self._account, rows)
        except ValueError:  # there are characters that no storage takes: half a pair, for one
            await desk.receive(NAME, self._account, [replace(row, body=_storable(row.body)) for row in rows])
        for update in updates:
            pressed = update.get("callback_query")
            if isinstance(pressed, Mapping) and isinstance(pressed.get("id"), str):
                self._answer(pressed["id"])

    def _answer(self, query: str) -> None:
        task = asyncio.create_task(self._stop_spinner(query))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _stop_spinner(self, query: str) -> None:
        """Says nothing, so it may pass the outbox by; a press that is too old has no spinner any more."""
        try:
            await self._api.ask("answerCallbackQuery", callback_query_id=query)
        except TelegramError as error:
            _log.debug("a spinner goes on turning: %s", error)


async def pause_after(error: TelegramError, failures: int) -> None:
    """Wait before the next try: as long as is asked for, longer after each failure, at most half a minute."""
    level = logging.ERROR if isinstance(error, InvalidToken) else logging.WARNING
    _log.log(level, "telegram does not work: %s", error)
    seconds = min(LONGEST_PAUSE, 2.0 ** min(failures, 5)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret
    if isinstance(error, RetryAfter):
        seconds = max(seconds, wait_of(error))
    elif isinstance(error, InvalidToken):
        seconds = WRONG_TOKEN_SECONDS
    elif isinstance(error, Conflict):
        seconds = CONFLICT_SECONDS
    await asyncio.sleep(seconds)


def endpoint(intake: Intake, desk: Desk, url: str, secret: str) -> Route:
    """Where Telegram delivers updates: known by its secret, answered 200 once the update is committed."""

    async def receive(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            return PlainTextResponse("not for you", 403)
        if not intake.bot:
            return PlainTextResponse("not yet", 503)
        try:
            update = json.loads(await request.body())
        except (ValueError, RecursionError):
            update = None
        if not isinstance(update, dict) or _number(update) < 0:
            return PlainTextResponse("no update", 400)
        try:
            await intake.bring(desk, [update])
        except NotKept as trouble:
            _log.warning("what came in cannot be kept now, telegram is to come again: %s", trouble)
            return PlainTextResponse("later", 503)
        return PlainTextResponse("")

    return Route(urlsplit(url).path, receive, methods=["POST"])


def _numbered(found: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The updates in the order of their numbers; what has none can be neither told apart nor confirmed."""
    updates = [update for update in found if isinstance(update, Mapping) and _number(update) >= 0]
    if len(updates) < len(found):
        _log.warning("%s updates without a number are passed over", len(found) - len(updates))
    return sorted(updates, key=_number)


def _number(update: Mapping[str, Any]) -> int:
    number = update.get("update_id")
    return number if type(number) is int else -1


def _storable(value: Any) -> Any:
    """The same without half characters and without numbers that are none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, list) else value
