"""How the bot gets its updates: getUpdates and the webhook."""

from typing import Any
from urllib.parse import urlsplit

from tests.emulators.telegram.core import Core, Request
from tests.emulators.telegram.errors import bad, conflict
from tests.emulators.telegram.limits import SECRET
from tests.emulators.telegram.updates import Update

LONGEST_POLL = 50  # seconds


async def get_updates(core: Core, request: Request) -> list[Update]:
    """Fetch, and confirm what lies below the offset."""
    params = request.params
    core.updates.allow(params.get("allowed_updates"))
    limit = params.get("limit", 100)
    if not 1 <= limit <= 100:
        limit = 100
    timeout = min(max(params.get("timeout", 0), 0), LONGEST_POLL)
    return await core.updates.fetch(params.get("offset", 0), limit, timeout)


def set_webhook(core: Core, request: Request) -> bool:
    """Have updates delivered to a URL from now on; an empty one ends that."""
    params = request.params
    url = params["url"]
    if not url:
        return delete_webhook(core, request)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.get("secret_token")
    if secret is not None and not SECRET.fullmatch(secret):
        raise bad("secret token contains unallowed characters")
    connections = params.get("max_connections", 40)
    if not 1 <= connections <= 100:
        raise bad("max_connections must be between 1 and 100")
    core.updates.allow(params.get("allowed_updates"))
    if params.get("drop_pending_updates"):
        core.updates.drop()
    core.updates.interrupt(conflict("terminated by setWebhook request"))
    core.webhook.set(url, secret, connections)
    return True


def delete_webhook(core: Core, request: Request) -> bool:
    """Go back to polling."""
    core.webhook.clear()
    if request.params.get("drop_pending_updates"):
        core.updates.drop()
    return True


def get_webhook_info(core: Core, request: Request) -> dict[str, Any]:
    """How the webhook does."""
    return core.webhook.info()


TABLE = {
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}
WAITING = {"getUpdates": get_updates}
