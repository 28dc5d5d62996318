"""What the coordinator needs to know of the smart bot before people rely on it."""

from collections.abc import Mapping, Sequence

from websockets.exceptions import WebSocketException

from bot.channel import Finding
from bot.channels.wecom_aibot.connection import Account, Kicked, Line, Lost, NotConnected, Timing, WrongSecret
from bot.channels.wecom_aibot.refusals import Refused
from domain.said import Said


async def examine(account: Account, groups: Mapping[str, str], timing: Timing) -> Sequence[Finding]:
    """Whether the bot is let in, and what to do in WeCom; nobody else may be connected with it meanwhile."""
    try:
        await Line(account, timing).live(lambda callback: None, briefly=True)
    except WrongSecret:
        return [Finding(Said("check.aibot_secret"), must=True)]
    except Kicked:
        return [Finding(Said("check.aibot_taken"), must=True)]
    except (NotConnected, Lost, Refused, OSError, WebSocketException, ImportError) as error:
        return [Finding(Said("check.aibot_network", {"cause": str(error) or type(error).__name__}), must=True)]
    found = [Finding(Said("check.aibot_bot", {"name": account.name or account.bot_id}))]
    if not account.name:
        found.append(Finding(Said("check.aibot_no_name")))
    if not groups:
        found.append(Finding(Said("check.aibot_no_group", {"name": account.name or account.bot_id})))
    return found
