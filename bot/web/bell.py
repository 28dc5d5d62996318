"""A bell that wakes whoever listens for news; a missed ring costs a listener no more than its own short wait."""

import asyncio


class Bell:
    """Rung after each commit that brought a post; listeners of other replicas find it by looking every two seconds."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.over = False

    def close(self) -> None:
        """The program stops: whoever listens goes home."""
        self.over = True
        self.ring()

    def ring(self) -> None:
        """Wake everybody who listens now."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def listen(self) -> asyncio.Event:
        """What the next ring sets; taken before looking, so that no news falls between look and wait."""
        return self._rung


async def heard(news: asyncio.Event, seconds: float) -> None:
    """Wait for the ring, but no longer than that."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return
