"""What a script of trouble is made of: blows, each of which the line or the platform deals to some calls."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from tests.emulators.faulty import CONNECT, HANDSHAKE, Trouble
from tests.emulators.frames import TEXT, frame


class Verdict(Enum):
    """What becomes of a call that met a trouble, as a person would judge who saw the whole line."""

    FINE = auto()
    """It is done, and its answer came."""
    LATER = auto()
    """It was not done, and the answer says so: once more."""
    DOUBT = auto()
    """It may be done or not, and nobody can tell."""
    NEVER = auto()
    """It is refused for good."""


@dataclass(frozen=True, slots=True)
class Blow:
    """A trouble and its verdict. `asks`: seconds for which the platform wants peace, `of_all` in every chat."""

    trouble: Trouble
    verdict: Verdict
    asks: float = 0.0
    of_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One trial: what goes wrong between a channel and its platform.

    one       only one chat has the trouble, and the others must not feel it
    lane      of that one chat only the first message of this lane has it
    path      the calls that meet it where the blows do not say; "": those that bring messages
    shut      seconds in which nobody listens at the platform's address
    revoke    the errcode with which the access token ends before its time
    tokens    how often a token is asked for in all, where that is counted
    spread    several chats fail at once, and are not to be tried again all at once
    found     it has found a fault once, so it is played every time
    starting  the trouble is there already when the program starts
    most      seconds after which all must be done
    errors    what the log says aloud
    """

    name: str
    channel: str
    blows: tuple[Blow, ...] = ()
    one: bool = False
    lane: str = ""
    path: str = ""
    shut: float = 0.0
    revoke: int = 0
    tokens: int | None = None
    spread: bool = False
    found: bool = False
    starting: bool = False
    most: float = 120.0
    errors: tuple[str, ...] = ()


def fine(**trouble: Any) -> Blow:
    """Slow, and no more than that."""
    return Blow(Trouble(**trouble), Verdict.FINE)


def later(*, asks: float = 0.0, of_all: bool = False, **trouble: Any) -> Blow:
    """A clear "not now", of the platform or of whoever answers in its place."""
    return Blow(Trouble(**{"asked": 0, **trouble}), Verdict.LATER, asks, of_all)


def doubt(**trouble: Any) -> Blow:
    """An answer that is lost, with the platform knowing of the call unless `asked` says otherwise."""
    return Blow(Trouble(**trouble), Verdict.DOUBT)


def never(**trouble: Any) -> Blow:
    """A clear "never"."""
    return Blow(Trouble(**{"asked": 0, **trouble}), Verdict.NEVER)


# Answers, byte for byte --------------------------------------------------------------------------------------------
def http(status: int, body: str, *headers: str, kind: str = "application/json", length: int | None = None) -> bytes:
    """An answer of a web server; `length` is what it says of itself, where that is a lie."""
    told = len(body.encode()) if length is None else length
    head = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {told}", *headers]
    return ("\r\n".join(head) + f"\r\n\r\n{body}").encode()


def page(status: int, words: str = "welcome", *headers: str) -> bytes:
    """A page of somebody who stands in the way."""
    return http(status, f"<html><body>{words}</body></html>", *headers, kind="text/html")


def chunked(*chunks: bytes) -> bytes:
    """The beginning of an answer in chunks, as they are given."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(chunks)


def no(status: int, words: str = "", *, over: int | None = None, **parameters: Any) -> bytes:
    """The Bot API's own no; `over`: the HTTP status that it comes under, where that is another."""
    told: dict[str, Any] = {"ok": False, "error_code": status, "description": words or "Error"}
    if parameters:
        told["parameters"] = parameters
    return http(over or status, json.dumps(told))


def wait(seconds: int) -> bytes:
    """The Bot API asks to wait."""
    return no(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def errcode(code: int, words: str = "no") -> bytes:
    """WeCom's no, which is a 200."""
    return http(200, json.dumps({"errcode": code, "errmsg": words}))


def ack(code: int, words: str = "no") -> Any:
    """The smart bot's no to the frame that it answers."""

    def to(req_id: str) -> bytes:
        told = {"headers": {"req_id": req_id}, "errcode": code, "errmsg": words}
        return frame(TEXT, json.dumps(told).encode())

    return to


def at_most_once(*scripts: Script) -> Iterator[Script]:
    """The same for what is not repeated when it is in doubt."""
    for script in scripts:
        for lane in ("DIGEST", "BROADCAST"):
            yield replace(script, name=f"{script.name}, of a {lane.lower()}", lane=lane)


def paths(script: Script, send: str) -> Sequence[str]:
    """Where the blows of a script strike."""
    return [blow.trouble.path or script.path or send for blow in script.blows]


CONNECTING, OPENING = CONNECT, HANDSHAKE
