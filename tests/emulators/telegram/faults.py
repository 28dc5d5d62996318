"""Misbehaviour on demand: wrong answers, no answers, late answers, outages."""

from dataclasses import dataclass
from typing import Any, Literal

from .errors import Refused

Answer = Literal["normal", "none", "broken", "hang"]
WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls that fit.

    status    the error to answer instead of ok; None leaves the answer alone
    effect    whether the call still does what it says before the answer goes wrong
    answer    normal; none: the connection closes; broken: JSON cut in half; hang: nothing ever comes
    delay     seconds before the answer, after the effect
    A fault with neither status nor a bad answer only delays: the call works.
    """

    method: str | None = None
    chat: int | None = None
    times: int = 1
    status: int | None = None
    description: str = ""
    retry_after: int | None = None
    migrate_to: int | None = None
    effect: bool = False
    answer: Answer = "normal"
    delay: float = 0.0
    met: int = 0

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out."""
        return self.effect or (self.status is None and self.answer == "normal")

    def fits(self, method: str, chat: int | None) -> bool:
        """Whether this fault is meant for a call; `chat` is None where the call names none."""
        if self.times <= 0:
            return False
        return self.method in (None, method) and self.chat in (None, chat)

    def refusal(self) -> Refused | None:
        """The error to answer."""
        if self.status is None:
            return None
        parameters: dict[str, Any] = {}
        if self.retry_after is not None:
            parameters["retry_after"] = self.retry_after
        if self.migrate_to is not None:
            parameters["migrate_to_chat_id"] = self.migrate_to
        text = self.description or default_words(self.status, self.retry_after)
        return Refused(self.status, text, parameters or None)


def default_words(status: int, retry_after: int | None) -> str:
    """What the platform prints with a status if nothing else is asked for."""
    words = WORDS.get(status, "Error")
    return words if retry_after is None else f"{words}: retry after {retry_after}"


class Faults:
    """The faults that wait for their call."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.down = False
        self.outage_status: int | None = None

    def take(self, method: str, chat: int | None) -> Fault | None:
        """The first fault that fits, used up by one."""
        if not self.waiting:
            return None
        for fault in self.waiting:
            if fault.fits(method, chat):
                fault.times -= 1
                fault.met += 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def outage(self, status: int | None) -> None:
        """Fail everything from now on; None closes connections without an answer."""
        self.down, self.outage_status = True, status

    def recover(self) -> None:
        """End an outage; faults that wait stay."""
        self.down = False
