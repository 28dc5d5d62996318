"""Plain bots that say again what they hear, each as its framework's first page shows it; run by .venv-bench's Python.

`python -m benchmarks._echo ptb http://127.0.0.1:1234` (or ptb-concurrent, aiogram). The first line on stdout is the
processor time in seconds that went into starting. `kept` is ptb with a handler that takes 2 ms and writes a line about
each update to the file named by --file.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks._process import say_ready

TOKEN = "4242424:bench"
HANDLING_SECONDS = 0.002


def ptb(address: str, *, concurrent: bool = False) -> None:
    """python-telegram-bot with its defaults: one update after the other, or 256 at once."""
    from telegram.ext import ApplicationBuilder, MessageHandler, filters

    async def echo(update: Any, _: Any) -> None:
        await update.message.reply_text(update.message.text)

    application = ApplicationBuilder().token(TOKEN).base_url(f"{address}/bot").concurrent_updates(concurrent).build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    say_ready()
    application.run_polling()


def aiogram(address: str) -> None:
    """The framework aiogram with its defaults: each update in a task of its own."""
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    async def echo(message: Any) -> None:
        await message.answer(message.text)

    async def run() -> None:
        dispatcher = Dispatcher()
        dispatcher.message()(echo)
        bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(address)))
        say_ready()
        await dispatcher.start_polling(bot)

    asyncio.run(run())


def kept(address: str, file: Path) -> None:
    """python-telegram-bot again; what was handled is written down at once, so that a kill does not hide it."""
    from telegram.ext import ApplicationBuilder, MessageHandler, filters

    handled = file.open("a", encoding="ascii", buffering=1)

    async def echo(update: Any, _: Any) -> None:
        time.sleep(HANDLING_SECONDS)  # noqa: ASYNC251 - work that takes the processor
        handled.write(f"{update.update_id}\n")
        await update.message.reply_text(update.message.text)

    application = ApplicationBuilder().token(TOKEN).base_url(f"{address}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    say_ready()
    application.run_polling()


BOTS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "ptb": lambda options: ptb(options.address),
    "ptb-concurrent": lambda options: ptb(options.address, concurrent=True),
    "aiogram": lambda options: aiogram(options.address),
    "kept": lambda options: kept(options.address, options.file),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bot", choices=BOTS)
    parser.add_argument("address", help="of the Bot API")
    parser.add_argument("--file", type=Path, default=None, help="where to write what was handled")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    BOTS[chosen.bot](chosen)
