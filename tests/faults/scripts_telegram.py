"""Scripts of trouble with Telegram: while sending, in one chat or in all, and while asking for updates."""

from collections.abc import Iterator, Sequence

from tests.faults.scripts import (
    CONNECTING,
    Blow,
    Script,
    at_most_once,
    chunked,
    doubt,
    fine,
    http,
    later,
    never,
    no,
    page,
    wait,
)

TOKEN_SECONDS = 60.0
"""How long a refused token is left be."""
SPOILT = '{"ok":true,"result":{"message_'


def asked(*seconds: int) -> tuple[Blow, ...]:
    """One refusal after the other."""
    return tuple(later(say=wait(each), asks=each) for each in seconds)


def one(name: str, *blows: Blow, **more: object) -> Script:
    """A trouble of one chat."""
    return Script(**{"name": name, "channel": "telegram", "blows": blows, "one": True, **more})  # type: ignore[arg-type]  # the keywords of Script


def every(name: str, *blows: Blow, **more: object) -> Script:
    """A trouble of the whole line."""
    return one(name, *blows, **{"one": False, **more})


def polling(name: str, *blows: Blow, **more: object) -> Script:
    """A trouble with asking for updates, of which sending knows nothing."""
    return one(name, *blows, **{"one": False, "path": "getUpdates", **more})


REFUSALS = (
    *(one(f"429 for {seconds} s", *asked(seconds)) for seconds in (1, 2, 5, 10, 17, 25, 30, 35)),
    one("429 three times, for 3, 8 and 20 s", *asked(3, 8, 20)),
    every("429 for 7 s to five chats", later(say=wait(7), asks=7, times=5)),
    every("429 for 35 s to whatever comes in 10 s", later(say=wait(35), asks=35, times=None, seconds=10)),
    one("429 that does not say how long", later(say=no(429, "Too Many Requests"), asks=5)),
    one("429 for 12 s inside a 200", later(say=no(429, "Too Many Requests", over=200, retry_after=12), asks=12),
        found=True),
    one("400 inside a 200", never(say=no(400, "Bad Request: message is too long", over=200))),
    one("400 to a message", never(say=no(400, "Bad Request: message is too long"))),
    every("401 to everybody for 20 s", later(say=no(401, "Unauthorized"), times=None, seconds=20, path="sendMessage"),
          errors=("the token is refused",), most=200),
    every("409 to a message", later(say=no(409, "Conflict"))),
    every("a page with 403 for 20 s", later(say=page(403, "Access denied"), times=None, seconds=20)),
    every("a page with 429", later(say=page(429))),
    every("sent elsewhere with 302", later(say=page(302, "sign in", "Location: http://127.0.0.1:1/portal"))),
)  # fmt: skip

BROKEN_SERVERS = (
    one("500 to one message", later(say=no(500, "Internal Server Error"))),
    one("500 to one chat for 40 s", later(say=no(500, "Internal Server Error"), times=None, seconds=40), found=True),
    one("500 to one chat, again and again", later(say=no(500, "Internal Server Error"), times=6)),
    every("502 to everybody for 45 s", later(say=page(502, "Bad Gateway"), times=None, seconds=45), most=200),
    every("503 to five messages", later(say=page(503, "Busy"), times=5)),
    every("504 after the message was taken", doubt(say=page(504, "Gateway Timeout"))),
    every("504 and the message was never taken", doubt(say=page(504, "Gateway Timeout"), asked=0)),
    every("nobody listens for 30 s", shut=30.0),
)

HALF_ANSWERS = (
    one("a page in place of the answer", doubt(say=page(200))),
    one("a page in place of the platform", doubt(say=page(200), asked=0)),
    one("an empty answer", doubt(say=http(200, ""))),
    one("ok without a result", doubt(say=http(200, '{"ok":true}'))),
    one("a result that is no message", doubt(say=http(200, '{"ok":true,"result":true}'))),
    one("a message without a number", doubt(say=http(200, '{"ok":true,"result":{"date":1}}')), found=True),
    one("a result that is no message, and none was taken", doubt(say=http(200, '{"ok":true,"result":1}'), asked=0)),
    one("a no without a number in a yes, of what was never taken", doubt(say=http(200, '{"ok":false}'), asked=0)),
    one("half an answer to what was never taken", doubt(say=http(200, SPOILT, length=900), asked=0, end="close")),
    one("half an answer, closed", doubt(kept=120, end="close")),
    one("half an answer, reset", doubt(kept=150, end="reset")),
    one("half a head, reset", doubt(kept=20, end="reset")),
    one("half a chunk", doubt(say=chunked(b"1f4\r\n", SPOILT.encode()), end="close")),
    one("a chunk of no size", doubt(say=chunked(b"zz\r\n{}\r\n0\r\n\r\n"), end="close")),
    one("a length that is too long", doubt(say=http(200, SPOILT, length=4000), end="close")),
    one("a length that is too short", doubt(say=http(200, SPOILT + 'id":1}}', length=12), end="close")),
    one("garbage in place of an answer", doubt(say=bytes(range(256)) * 4, end="close")),
    one("a head without end", doubt(say=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, end="close")),
)

BROKEN_LINES = (
    one("closed after the message was taken", doubt(kept=0, end="close")),
    one("reset after the message was taken", doubt(kept=0, end="reset")),
    one("closed before the message was taken", doubt(asked=0, end="close")),
    one("reset after 100 bytes of the request", doubt(asked=100, end="reset")),
    one("reset one byte before the end of the request", doubt(asked=200, end="reset")),
    one("a black hole behind the message", doubt(kept=0, end="hole")),
    one("a black hole in front of the message", doubt(asked=0, end="hole")),
    one("four messages into a black hole", doubt(asked=0, end="hole", times=4), most=200),
    every("an answer lost in every chat", doubt(kept=0, end="reset", times=5), most=200),
    one("carried on after the sender gave up", doubt(late=30.0)),
    one("an answer after 15 s", fine(pause=15.0)),
    one("an answer in drops, 10 s long", fine(drip=20, gap=0.5)),
    one("an answer in drops without end", doubt(drip=1, gap=5.0)),
    every("every connection is reset as it opens, four times", doubt(path=CONNECTING, end="reset", times=4)),
    every("a connection opens into a black hole", doubt(path=CONNECTING, end="hole")),
)

POLLING = (
    polling("502 to four polls", later(say=page(502), times=4)),
    polling("429 for 12 s to a poll", later(say=wait(12), asks=12)),
    polling("409 to two polls", later(say=no(409, "Conflict: terminated by other getUpdates request"), times=2)),
    polling("a poll into a black hole", doubt(asked=0, end="hole")),
    polling("updates into a black hole", doubt(kept=0, end="hole", times=2)),
    polling("updates in drops without end", doubt(drip=1, gap=9.0), found=True),
    polling("half of the updates, reset, three times", doubt(kept=300, end="reset", times=3)),
    polling("half of the updates, closed", doubt(kept=260, end="close")),
    polling("a page in place of updates", doubt(say=page(200), times=3)),
    polling("an object in place of updates", doubt(say=http(200, '{"ok":true,"result":{}}'), times=2)),
    polling("updates without numbers", doubt(say=http(200, '{"ok":true,"result":[{"message":{}}]}'), asked=0)),
    polling("garbage in place of updates", doubt(say=b"\x00\xff" * 300, end="close", times=2)),
    polling("the answer is lost that confirmed what came before", doubt(kept=0, end="reset", times=5)),
    polling("502 while the program starts", later(path="getMe", say=page(502), times=3), starting=True),
    polling("a black hole while the program starts", doubt(path="getMe", asked=0, end="hole"), starting=True),
)


ONCE = tuple(at_most_once(
    one("a page in place of the answer", doubt(say=page(200))),
    one("half an answer, closed", doubt(kept=120, end="close")),
    one("half an answer to what was never taken", doubt(say=http(200, SPOILT, length=900), asked=0, end="close")),
    one("reset after the message was taken", doubt(kept=0, end="reset")),
    one("a black hole in front of the message", doubt(asked=0, end="hole")),
    one("504 after the message was taken", doubt(say=page(504))),
    one("429 for 9 s", later(say=wait(9), asks=9)),
))  # fmt: skip


def scripts() -> Iterator[Script]:
    """All of them."""
    groups: Sequence[Sequence[Script]] = (REFUSALS, BROKEN_SERVERS, HALF_ANSWERS, BROKEN_LINES, ONCE, POLLING)
    for group in groups:
        yield from group
