"""The emulator as a process of its own: python -m tests.emulators.telegram --port 8081 --token 1:x."""

import argparse
import asyncio
import contextlib
import signal
import sys

from .control import Control
from .emulator import TelegramEmulator
from .limits import Limits


def read_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="tests.emulators.telegram")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="123456:TEST-token")
    parser.add_argument("--username", default="lianqi_bot")
    parser.add_argument("--privacy", action="store_true", help="hear in groups only what is meant for the bot")
    parser.add_argument("--limits", action="store_true", help="flood control as the platform has it")
    return parser.parse_args()


async def serve(arguments: argparse.Namespace) -> None:
    """Run until told to stop; the first line of the output is the address."""
    limits = Limits() if arguments.limits else None
    emulator = TelegramEmulator(arguments.token, arguments.username, privacy=arguments.privacy, limits=limits)
    emulator.server.control = Control(emulator)
    await emulator.start(arguments.port)
    sys.stdout.write(emulator.api_base + "\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await emulator.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(read_arguments()))
