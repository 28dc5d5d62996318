"""The Telegram channel as the program makes it, aimed at a stand-in for the platform."""

from bot.channel import Pace
from bot.channels import Kit
from bot.channels.telegram import PACE, Account, TelegramChannel

TOKEN = "4242424:bench"


def make_channel(address: str, pace: Pace | None = PACE) -> TelegramChannel:
    """A channel that polls this Bot API; without a pace it speaks as fast as it can."""
    return TelegramChannel(Account(TOKEN, address), Kit(None, lambda said: said.key), pace=pace)
