"""Misbehaviour on demand: wrong answers, none, late ones, and connections that die."""

from dataclasses import dataclass, field
from typing import Literal

Answer = Literal["normal", "none", "broken", "abort", "close", "silence"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` frames that fit.

    cmd       the command, or "download" for a media url; None fits each command but ping and aibot_subscribe
    chat      the chat that is spoken to; None fits all
    code      the errcode to answer instead of 0; None leaves the answer alone
    effect    whether the frame still does what it says before the answer goes wrong
    answer    normal; none: no answer ever (a lost ack, with `effect`); broken: JSON cut in half;
              abort: the connection dies without a close frame (1006); close: it is closed with 1000;
              silence: none, and nothing ever again on this connection, which stays open
    delay     seconds before the answer, after the effect
    """

    cmd: str | None = None
    chat: str | None = None
    times: int = 1
    code: int | None = None
    effect: bool = False
    answer: Answer = "normal"
    delay: float = 0.0
    met: int = 0

    @property
    def takes_effect(self) -> bool:
        """Whether the frame is carried out."""
        return self.effect or (self.code is None and self.answer == "normal")

    def fits(self, cmd: str, chat: str | None) -> bool:
        """Whether this fault is meant for a frame."""
        meant = cmd not in ("ping", "aibot_subscribe", "download") if self.cmd is None else self.cmd == cmd
        return meant and self.chat in (None, chat)


@dataclass(slots=True)
class Faults:
    """All that can be wrong with the platform. Single faults wait for their frame; the rest lasts until it is undone.

    refuse        connection attempts that fail from now on; None is all of them
    refuse_status the HTTP status they get; None: the socket just closes
    duplicates    callbacks that come twice from now on; None is all of them
    hold          whether callbacks wait while nobody is connected; else they are lost
    """

    waiting: list[Fault] = field(default_factory=list)
    refuse: int | None = 0
    refuse_status: int | None = 503
    duplicates: int | None = 0
    hold: bool = False

    def take(self, cmd: str, chat: str | None) -> Fault | None:
        """The first fault that fits, used up by one."""
        for fault in self.waiting:
            if fault.fits(cmd, chat):
                fault.times -= 1
                fault.met += 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def refuses(self) -> bool:
        """Whether this attempt to connect fails."""
        if self.refuse is None:
            return True
        if self.refuse > 0:
            self.refuse -= 1
            return True
        return False

    def duplicate(self) -> bool:
        """Whether this callback comes twice."""
        if self.duplicates is None:
            return True
        if self.duplicates > 0:
            self.duplicates -= 1
            return True
        return False

    def end(self) -> None:
        """All is well again."""
        self.waiting.clear()
        self.refuse = self.duplicates = 0
