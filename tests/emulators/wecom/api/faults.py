"""Misbehaviour on demand: wrong answers, no answers, late answers."""

from dataclasses import dataclass
from typing import Literal

Answer = Literal["normal", "none", "broken", "hang"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of a path such as "message/send".

    code      the errcode to answer instead of 0
    status    the HTTP status of a gateway in its place
    effect    whether the call still does what it says before the answer goes wrong
    answer    normal; none: the connection closes; broken: JSON cut in half; hang: nothing ever comes
    delay     seconds before the answer, after the effect
    """

    path: str | None = None
    times: int = 1
    code: int | None = None
    status: int | None = None
    effect: bool = False
    answer: Answer = "normal"
    delay: float = 0.0
    met: int = 0

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out."""
        return self.effect or (self.code is None and self.status is None and self.answer == "normal")


class Faults:
    """The faults that wait for their call."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def take(self, path: str) -> Fault | None:
        """The first fault that fits, used up by one."""
        for fault in self.waiting:
            if fault.times > 0 and fault.path in (None, path):
                fault.times -= 1
                fault.met += 1
                return fault
        return None
