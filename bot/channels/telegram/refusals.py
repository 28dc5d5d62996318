"""What an error of the Bot API means for a message: never, later, perhaps, or elsewhere."""

import logging
import os

from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.channel import Moved, Uncertain, Undeliverable, Unsent
from bot.channels.telegram.transport import NotConnected, Refusing

os.environ["PTB_TIMEDELTA"] = "true"  # waiting times as timedelta: the library warns of anything else

_log = logging.getLogger(__name__)

WRONG_TOKEN_SECONDS = 60.0
_CHAT_GONE = ("chat not found", "user not found", "peer_id_invalid", "have no rights to send a message")


def refusal(error: TelegramError) -> Exception:
    """The outcome of a send that failed so."""
    said = str(error)
    if isinstance(error, ChatMigrated):
        return Moved(str(error.new_chat_id))
    if isinstance(error, RetryAfter):
        return Unsent("asked to wait", seconds=wait_of(error))
    if isinstance(error, InvalidToken):
        _log.error("the token is refused: %s", said)
        return Unsent("the token is refused", seconds=WRONG_TOKEN_SECONDS, channel_down=True)
    if isinstance(error, Forbidden):
        return Undeliverable(said, unreachable=True)
    if isinstance(error, BadRequest):
        return Undeliverable(said, unreachable=any(sign in said.lower() for sign in _CHAT_GONE))
    if isinstance(error, NotConnected | Refusing | Conflict):
        return Unsent(said, channel_down=True)
    return Uncertain(said)


def wait_of(error: RetryAfter) -> float:
    """The seconds that the server asks to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


def unchanged(error: TelegramError) -> bool:
    """An edit that changes nothing: it was done before."""
    return isinstance(error, BadRequest) and "message is not modified" in str(error).lower()


def topic_gone(error: TelegramError) -> bool:
    """The topic was deleted or closed; the group is still there."""
    said = str(error).lower()
    return isinstance(error, BadRequest) and ("thread not found" in said or "topic_closed" in said)


def no_photo(error: TelegramError) -> bool:
    """What was sent as a photo is none to Telegram: too long, too thin, or nothing that it can show."""
    said = str(error).lower()
    return isinstance(error, BadRequest) and ("photo" in said or "image" in said)
