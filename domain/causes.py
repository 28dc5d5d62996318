"""Why a message did not arrive: the platform's words without what differs from one message to the next."""

import re

MOST = 60
_OF_ONE_CALL = re.compile(r"\[[^\]]*\]|\b[0-9a-f]{12,}\b|\d{8,}|(?<![\d(-])\d{5,}", re.IGNORECASE)
_HINTS = re.compile(r",? *(?:hint|more info at|from ip)\b.*?(?=\(-?\d+\)$|$)", re.IGNORECASE)


def same_cause(words: str) -> str:
    """The same for the same cause: WeCom adds hints, addresses and the number of the call to its refusals."""
    plain = _OF_ONE_CALL.sub("…", _HINTS.sub(" ", words))
    return " ".join(plain.split())[:MOST]
