"""What the coordinator needs to know of the self-built app before going live."""

from collections.abc import Sequence

from bot.channel import Finding
from bot.channels.qyapi import Account, ApiError, Denied
from bot.channels.wecom_app.intake import PATH
from domain.said import Said

_WRONG_SECRET = frozenset({40001, 40013, 41002, 41004})
_WRONG_AGENT = frozenset({40056, 60011, 301002})
_WRONG_PLACE = frozenset({60020})


async def examine(account: Account, agent_id: int, public_url: str) -> Sequence[Finding]:
    """Whether the app answers, from here, and what address its callbacks go to."""
    try:
        app = await account.get("agent/get", agentid=str(agent_id))
    except Denied as denied:
        return [Finding(_refusal(denied, agent_id), must=True)]
    except ApiError as error:
        return [Finding(Said("check.wecom_network", {"cause": str(error)}), must=True)]
    found = [Finding(Said("check.wecom_app", {"name": str(app.get("name") or agent_id)}))]
    if app.get("close") == 1:
        found.append(Finding(Said("check.wecom_app_closed"), must=True))
    if not public_url.startswith("https://"):
        found.append(Finding(Said("check.wecom_app_address"), must=True))
    else:
        found.append(Finding(Said("check.wecom_app_callback", {"url": f"{public_url.rstrip('/')}{PATH}"})))
    return found


def _refusal(denied: Denied, agent_id: int) -> Said:
    if denied.code in _WRONG_SECRET:
        return Said("check.wecom_app_secret")
    if denied.code in _WRONG_AGENT:
        return Said("check.wecom_app_agent", {"agent": str(agent_id)})
    if denied.code in _WRONG_PLACE:
        return Said("check.wecom_app_ip")
    return Said("check.wecom_network", {"cause": str(denied)})
