"""Bot API calls through the library's own transport and through ours: `python -m benchmarks.telegram_transport`.

The same bot object of the library makes the same calls, one after the other and 64 at a time, against the plain
responder in a process of its own.
"""

import argparse
import asyncio
import resource
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

from telegram import Bot
from telegram.request import BaseRequest, HTTPXRequest

from benchmarks._process import child, own_python, processor_seconds
from bot.channels.telegram.transport import Transport

LEAST = 3.0
"""So many times the calls a second of the library's own transport, 64 at a time."""
AT_ONCE = 64


async def calls(make: Callable[[], BaseRequest], address: str, count: int, at_once: int) -> tuple[float, float]:
    """Calls a second, and processor seconds for a thousand of them."""
    request = make()
    bot = Bot("1:bench", base_url=f"{address}/bot", request=request, get_updates_request=request)
    await request.initialize()
    gate = asyncio.Semaphore(at_once)

    async def call(number: int) -> None:
        async with gate:
            await bot.send_message(number, "已登记 #12 车间电压低，一天跳停三次", pool_timeout=60)

    begun, spent = perf_counter(), processor_seconds(resource.getrusage(resource.RUSAGE_SELF))
    await asyncio.gather(*(call(number) for number in range(1, count + 1)))
    seconds = perf_counter() - begun
    spent = processor_seconds(resource.getrusage(resource.RUSAGE_SELF)) - spent
    await request.shutdown()
    return count / seconds, spent / count * 1000


def main() -> int:
    """Measure in turns; the exit status says whether the limit was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, help="in one turn")
    parser.add_argument("--rounds", type=int, default=3, help="how many turns")
    options = parser.parse_args()
    ratio = 0.0
    with child(own_python(), "benchmarks._responder", "--updates", "0") as responder:
        address = responder.first
        kinds: dict[str, Callable[[], BaseRequest]] = {
            "httpx": lambda: HTTPXRequest(connection_pool_size=256),
            "aiohttp": lambda: Transport(address),
        }
        for at_once in (1, AT_ONCE):
            turns = [
                {name: asyncio.run(calls(make, address, options.calls, at_once)) for name, make in kinds.items()}
                for _ in range(options.rounds)
            ]
            for name in kinds:
                speed, spent = (median(turn[name][n] for turn in turns) for n in (0, 1))
                print(f"{at_once:3} at a time, {name:8}{speed:8,.0f} calls/s {spent:8.2f} cpu s per 1,000")
            ratio = median(turn["aiohttp"][0] / turn["httpx"][0] for turn in turns)
            print(f"{at_once:3} at a time: {ratio:.2f}x")
    return int(ratio < LEAST)


if __name__ == "__main__":
    sys.exit(main())
