"""What the platform's numbers mean for a message: never, later, or elsewhere."""

from bot.channel import Undeliverable, Unsent

BAD_SECRET = 853000
DEAD_REQUEST = 846605
TOO_FAST = 846607
NOT_SUBSCRIBED = 846609
NEVER_WROTE = 93006
ANTI_SPAM = 40201
_TOO_OFTEN = frozenset({TOO_FAST, 45009, 45033})
_WAIT_SECONDS = 60.0
"""The narrowest window of the quota, as the refusal does not say how long."""
_FINAL = (range(40000, 42000), range(43000, 46000), range(93000, 93100))
"""Parameters, sizes and chats: the same frame will be refused again."""


class Refused(Exception):
    """The platform's own no: its number and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{words} ({code})")
        self.code = code
        self.words = words


def outcome(no: Refused) -> Exception:
    """The outcome of a send that was refused so."""
    if no.code in _TOO_OFTEN:
        return Unsent(str(no), seconds=_WAIT_SECONDS)
    if no.code == NEVER_WROTE:
        return Undeliverable(str(no), unreachable=True)
    if any(no.code in codes for codes in _FINAL):
        return Undeliverable(str(no))
    return Unsent(str(no))


def used_before(no: Refused) -> bool:
    """Whether a card is refused for its name: only an earlier try of the same message can have used that."""
    return no.code != 0 and "task_id" in no.words.lower()
