"""Scripts of trouble with WeCom: the app and its token, group robots, and the smart bot's long connection."""

from collections.abc import Callable, Iterator, Sequence

from tests.emulators.frames import PING, TEXT, closing, frame
from tests.faults.scripts import (
    CONNECTING,
    OPENING,
    Blow,
    Script,
    ack,
    at_most_once,
    chunked,
    doubt,
    errcode,
    fine,
    http,
    later,
    never,
    page,
)

MINUTE = 60.0
"""How long WeCom is left in peace that says "too often", as it does not say how long."""
Maker = Callable[..., Script]


def of(channel: str, *, one: bool) -> Maker:
    """How scripts of a channel are made, of one chat's troubles or of the line's."""

    def make(name: str, *blows: Blow, **more: object) -> Script:
        return Script(**{"name": name, "channel": channel, "blows": blows, "one": one, **more})  # type: ignore[arg-type]  # the keywords of Script

    return make


member, app = of("wecom_app", one=True), of("wecom_app", one=False)
robot, robots = of("wecom_group", one=True), of("wecom_group", one=False)
chat, bot = of("wecom_aibot", one=True), of("wecom_aibot", one=False)
TOKEN = "gettoken"

APP = (
    member("-1 to a message", later(say=errcode(-1, "system busy"))),
    app("-1 to five members at once", later(say=errcode(-1, "system busy"), times=5), spread=True),
    member("-1 to one member, four times", later(say=errcode(-1), times=4)),
    app("45009 to a message while others are under way", later(say=errcode(45009), asks=MINUTE, of_all=True),
        most=200, found=True),
    app("45009 to whatever comes in 10 s", later(say=errcode(45009), asks=MINUTE, of_all=True, times=None, seconds=10),
        most=240),
    app("45033 to a message", later(say=errcode(45033), asks=MINUTE, of_all=True), most=200),
    app("60020, the address is not trusted", later(say=errcode(60020), asks=MINUTE, of_all=True), most=200,
        errors=("wecom refuses this app",)),
    member("81013 to a message", never(say=errcode(81013))),
    member("an errcode that is a word", doubt(say=http(200, '{"errcode":"0","errmsg":"ok"}'))),
    member("a page in place of the answer", doubt(say=page(200))),
    member("half an answer, reset", doubt(kept=150, end="reset")),
    member("half a chunk", doubt(say=chunked(b"1f4\r\n", b'{"errcode":'), end="close")),
    member("a length that is too long", doubt(say=http(200, '{"errcode":0', length=4000), end="close")),
    member("closed after the message was taken", doubt(kept=0, end="close")),
    member("reset in the middle of the request", doubt(asked=100, end="reset")),
    member("a black hole behind the message", doubt(kept=0, end="hole")),
    member("an answer in drops without end", doubt(drip=1, gap=4.0)),
    member("an answer after 14 s", fine(pause=14.0)),
    app("502 to everybody for 45 s", later(say=page(502), times=None, seconds=45), most=200),
    app("504 after the message was taken", doubt(say=page(504))),
    app("nobody listens for 30 s", shut=30.0),
    app("connections open into a black hole", doubt(path=CONNECTING, end="hole")),
)  # fmt: skip

TOKENS = (
    app("40014, the token is over, for all at once", revoke=40014, tokens=2),
    app("42001, the token has expired, for all at once", revoke=42001, tokens=2),
    app("40014, and the first new token is lost", doubt(path=TOKEN, kept=0, end="reset"), revoke=40014, tokens=3),
    app("42001, and a page stands in the way of a new token", later(path=TOKEN, say=page(502), times=2), revoke=42001,
        tokens=4),
    app("42001, and a page stands in the way for 8 s", later(path=TOKEN, say=page(502), times=None, seconds=8),
        revoke=42001, found=True),
    app("42001, and a new token comes in half", doubt(path=TOKEN, kept=150, end="close"), revoke=42001, tokens=3),
    app("40014, and a new token takes 10 s", fine(path=TOKEN, pause=10.0), revoke=40014, tokens=2),
    app("40014, and asking for a token ends in a black hole", doubt(path=TOKEN, asked=0, end="hole"), revoke=40014,
        tokens=3),
    app("40014, and a token comes in drops without end", doubt(path=TOKEN, drip=1, gap=3.0), revoke=40014, tokens=3),
    app("40014, and -1 to who asks for a token", later(path=TOKEN, say=errcode(-1)), revoke=40014, tokens=3),
    app("no token while the program starts", later(path=TOKEN, say=page(503), times=3), starting=True),
)  # fmt: skip

GROUP = (
    robot("-1 to a message", later(say=errcode(-1))),
    robot("45009 to one robot", later(say=errcode(45009), asks=MINUTE)),
    robots("45009 to every robot", later(say=errcode(45009), asks=MINUTE, times=4), most=200),
    robot("a page in place of the answer", doubt(say=page(200))),
    robot("reset after the message was taken", doubt(kept=0, end="reset")),
    robot("half an answer, closed", doubt(kept=150, end="close")),
    robot("a black hole in front of the message", doubt(asked=0, end="hole")),
    robot("two answers lost", doubt(kept=0, end="close", times=2)),
    robot("502 to one robot for 40 s", later(say=page(502), times=None, seconds=40), found=True),
    robots("503 to everybody for 20 s", later(say=page(503), times=None, seconds=20)),
    robots("nobody listens for 30 s", shut=30.0),
)

AIBOT_ANSWERS = (
    chat("846607 to a message", later(say=ack(846607), asks=MINUTE)),
    chat("45009 to a message", later(say=ack(45009), asks=MINUTE)),
    chat("-1 to a message", later(say=ack(-1, "system busy"))),
    chat("-1 to one chat, four times", later(say=ack(-1), times=4)),
    bot("-1 to five chats at once", later(say=ack(-1), times=5), spread=True),
    chat("45002 to a message", never(say=ack(45002))),
    chat("an answer after 4 s", fine(pause=4.0)),
    chat("no answer, and the line is good", doubt(kept=0)),
    chat("an answer after 7 s", doubt(pause=7.0)),
    bot("garbage in place of an answer", doubt(say=frame(TEXT, b'{"headers": {"req_'))),
    bot("an answer that is no object", doubt(say=frame(TEXT, b"[1, 2, 3]"))),
)

AIBOT_LINES = (
    bot("an answer is cut in the middle", doubt(kept=20, end="reset")),
    bot("reset before the message was taken", doubt(asked=0, end="reset")),
    bot("reset in the middle of the message", doubt(asked=30, end="reset")),
    bot("reset three times after the message was taken", doubt(kept=0, end="reset", times=3)),
    bot("a frame of no kind", doubt(say=b"\x8f\x02ab", end="close")),
    bot("a frame that is no text", doubt(say=frame(TEXT, b"\xff\xfe\xfd"))),
    bot("a frame larger than any", doubt(say=frame(TEXT, b"x" * 100, length=1 << 40), end="hole"), found=True),
    bot("a ping that is too long", doubt(say=frame(PING, b"x" * 200))),
    bot("garbage on the line", doubt(say=bytes(range(256)), end="close")),
    *(bot(f"closed with {code}", doubt(say=closing(code), end="close")) for code in (1000, 1001, 1008, 1011, 4000)),
    bot("silence, and no pong", doubt(kept=0, end="hole")),
    bot("silence before the message was taken", doubt(asked=0, end="hole")),
    bot("pings are not answered", doubt(path="ping", asked=0, end="hole"), most=200),
)

AIBOT_OPENINGS = (
    bot("503 to three attempts to connect", later(path=OPENING, say=page(503), end="close", times=3), starting=True),
    bot("a page to who connects", later(path=OPENING, say=page(200), end="close", times=2), starting=True),
    bot("half a handshake", later(path=OPENING, say=b"HTTP/1.1 101 Swit", end="close", times=2), starting=True),
    bot("a handshake of somebody else", later(path=OPENING, times=2, end="close", say=(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: bm90IHRoZSBrZXk=\r\n\r\n")), starting=True),
    bot("a handshake into a black hole", later(path=OPENING, end="hole"), starting=True),
    bot("connections are reset as they open", later(path=CONNECTING, end="reset", times=4), starting=True),
    bot("no answer to the subscription", later(path="aibot_subscribe", end="hole"), starting=True),
    bot("-1 to the subscription", later(path="aibot_subscribe", say=ack(-1), times=2), starting=True),
    bot("the line is cut, and nobody listens for 30 s", shut=30.0),
)  # fmt: skip


ONCE = tuple(at_most_once(
    member("reset after the message was taken", doubt(kept=0, end="reset")),
    robot("reset after the message was taken", doubt(kept=0, end="reset")),
    robot("a page in place of the platform", doubt(say=page(200), asked=0)),
    chat("no answer, and the line is good", doubt(kept=0)),
    bot("reset in front of the message", doubt(asked=0, end="reset")),
))  # fmt: skip


def scripts() -> Iterator[Script]:
    """All of them."""
    groups: Sequence[Sequence[Script]] = (APP, TOKENS, GROUP, AIBOT_ANSWERS, AIBOT_LINES, AIBOT_OPENINGS, ONCE)
    for group in groups:
        yield from group
