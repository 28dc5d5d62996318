"""The Bot API as lianqi calls it: the bot of python-telegram-bot for what is rare, raw calls for what is frequent."""

import logging
from dataclasses import dataclass
from typing import Any, cast

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import RequestData

from bot.channels.telegram.transport import Transport

POLL_WHOLE_SECONDS = 60.0
"""So long updates may take to come, beyond the silence before the first."""

logging.getLogger("telegram").setLevel(logging.WARNING)  # its debug lines name addresses, which hold the token


class Api:
    """One bot account. Errors are those of python-telegram-bot, see telegram.error and transport.py."""

    def __init__(self, token: str, base: str) -> None:
        self._calls, self._polls = Transport(base), Transport(base, POLL_WHOLE_SECONDS)
        self.bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._calls,
            get_updates_request=self._polls,
        )

    async def ask(self, method: str, **params: Any) -> Any:
        """The raw result of a method; parameters that are None are left out."""
        return await self._calls.post(f"{self.bot.base_url}/{method}", _data(params))

    async def poll(self, seconds: int, **params: Any) -> list[Any]:
        """Raw updates, waiting so many seconds for the first."""
        data = _data({"timeout": seconds, **params})
        found = await self._polls.post(f"{self.bot.base_url}/getUpdates", data, read_timeout=seconds + 10)
        if not isinstance(found, list):
            raise TelegramError("an answer that cannot be read")
        return found

    async def close(self) -> None:
        """Close all connections."""
        await self._calls.shutdown()
        await self._polls.shutdown()


@dataclass(frozen=True, slots=True)
class _Params:
    """What Transport reads of a RequestData: parameters that are JSON already, and no files."""

    parameters: dict[str, Any]
    contains_files: bool = False


def _data(params: dict[str, Any]) -> RequestData:
    given = {name: value for name, value in params.items() if value is not None}
    return cast(RequestData, _Params(given))
