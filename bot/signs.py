"""Signs of life that this process has seen of its channels, until they are written down."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from storage.pulses import Pulse


class Signs:
    """By channel and machine time: when its platform last answered or brought something, when a message last left."""

    def __init__(self, machine: Callable[[], datetime]) -> None:
        self._machine = machine
        self._seen: dict[str, Pulse] = {}
        self._kept: dict[str, Pulse] = {}

    def heard(self, channel: str) -> None:
        """A poll came back, a frame or a call came in."""
        self._seen[channel] = replace(self.of(channel), heard_at=self._machine())

    def delivered(self, channel: str) -> None:
        """A message has arrived there."""
        self._seen[channel] = replace(self.of(channel), delivered_at=self._machine())

    def of(self, channel: str) -> Pulse:
        """What was seen of a channel here."""
        return self._seen.get(channel, Pulse())

    def news(self) -> Mapping[str, Pulse]:
        """What was seen and not written down yet."""
        return {channel: pulse for channel, pulse in self._seen.items() if self._kept.get(channel) != pulse}

    def kept(self, pulses: Mapping[str, Pulse]) -> None:
        """These are written down."""
        self._kept.update(pulses)
