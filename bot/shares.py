"""On which channels this process sends: on all, unless processes share the house and another holds the right to."""

from collections.abc import Callable, Mapping

from bot.channel import Channel


class Shares:
    """`fresh` says that sending has just begun somewhere, so that what others sent before must be looked up."""

    def __init__(self, channels: Mapping[str, Channel], wake: Callable[[], None]) -> None:
        self._channels = channels
        self._wake = wake
        self._elsewhere: set[str] = set()
        self.fresh = True

    def mine(self) -> list[str]:
        """The channels on which messages may leave here."""
        return [name for name in self._channels if name not in self._elsewhere]

    def leave(self, channel: str) -> None:
        """Another process sends there from now on."""
        self._elsewhere.add(channel)

    def take_up(self, channel: str) -> None:
        """This process sends there from now on."""
        self._elsewhere.discard(channel)
        self.fresh = True
        self._wake()
