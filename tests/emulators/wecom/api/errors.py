"""How the platform says no: an errcode inside a 200."""

WORDS = {
    -1: "system busy",
    40001: "invalid credential",
    40004: "invalid media type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40029: "invalid code",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    41001: "access_token missing",
    42001: "access_token expired",
    44004: "empty text message",
    45009: "reach max api daily quota limit",
    60020: "not allow to access from your ip",
    60111: "userid not found",
    72021: "invalid response code",
    81013: "user & party & tag all invalid",
    93000: "invalid webhook url, or the robot is not in the group any more",
}


class Refused(Exception):
    """An answer with an errcode that is not 0."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words or WORDS.get(code, "error"))
        self.code = code

    def body(self) -> dict[str, object]:
        """The JSON the client reads."""
        return {"errcode": self.code, "errmsg": f"{self}, hint: [1700000000], from ip: 127.0.0.1"}
