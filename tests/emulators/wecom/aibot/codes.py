"""How the platform says no: its numbers, and the exception that carries one."""

OK = 0
UNKNOWN_MSGTYPE = 40008
INVALID_MEDIA = 40007
INVALID_PARAMETER = 40058
ANTI_SPAM = 40201
TOO_LONG = 45002
UNREACHABLE = 93006
DEAD_REQUEST = 846605
TOO_FAST = 846607
STREAM_OVER = 846608
NOT_SUBSCRIBED = 846609
BAD_SECRET = 853000

WORDS = {
    OK: "ok",
    UNKNOWN_MSGTYPE: "invalid message type",
    INVALID_MEDIA: "invalid media_id",
    INVALID_PARAMETER: "invalid request parameter",
    ANTI_SPAM: "message is refused by anti spam",
    TOO_LONG: "content size out of limit",
    UNREACHABLE: "invalid chatid, the user never talked to the bot",
    DEAD_REQUEST: "invalid req_id",
    TOO_FAST: "aibot send msg frequency limit exceeded",
    STREAM_OVER: "stream message is finished or expired",
    NOT_SUBSCRIBED: "aibot websocket not subscribed",
    BAD_SECRET: "invalid bot_id or secret",
}


class Refused(Exception):
    """An answer other than ok. `offence`: what the client did wrong that a sound client never does, else empty."""

    def __init__(self, code: int, *, offence: str = "", words: str = "") -> None:
        super().__init__(offence or words or WORDS.get(code, "error"))
        self.code = code
        self.offence = offence
        self.words = words or WORDS.get(code, "error")


def offence(words: str, code: int = INVALID_PARAMETER) -> Refused:
    """The refusal of something that no sound client sends."""
    return Refused(code, offence=words)
