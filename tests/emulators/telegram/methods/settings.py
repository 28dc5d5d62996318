"""What the bot says about itself: command menus and descriptions; and its leave."""

from typing import Any

from tests.emulators.telegram.core import Core, Request
from tests.emulators.telegram.errors import bad
from tests.emulators.telegram.limits import check_commands

from .asking import find_group, standing


def scope_key(core: Core, params: dict[str, Any]) -> str:
    """The name of a menu: scope, chat and person, then /language; e.g. default, chat:-100, all_group_chats/zh."""
    scope = params.get("scope") or {"type": "default"}
    if "chat_id" in scope:
        core.world.find(scope["chat_id"])
    parts = [scope["type"], *(str(scope[name]) for name in ("chat_id", "user_id") if name in scope)]
    language = params.get("language_code", "")
    if language and not (len(language) == 2 and language.isascii() and language.islower()):
        raise bad("invalid language code specified")
    return ":".join(parts) + (f"/{language}" if language else "")


def set_my_commands(core: Core, request: Request) -> bool:
    """Set the menu of one scope and language; an empty list takes it away."""
    commands = request.params["commands"]
    check_commands(commands)
    key = scope_key(core, request.params)
    if commands:
        core.commands[key] = commands
    else:
        core.commands.pop(key, None)
    return True


def get_my_commands(core: Core, request: Request) -> list[dict[str, Any]]:
    """The menu of exactly this scope and language."""
    return core.commands.get(scope_key(core, request.params), [])


def delete_my_commands(core: Core, request: Request) -> bool:
    """Take a menu away."""
    core.commands.pop(scope_key(core, request.params), None)
    return True


def set_my_description(core: Core, request: Request) -> bool:
    """What a person reads before they press Start: up to 512 characters."""
    return describe(core, "description", request.params.get("description", ""), 512)


def set_my_short_description(core: Core, request: Request) -> bool:
    """What stands on the bot's page: up to 120 characters."""
    return describe(core, "short_description", request.params.get("short_description", ""), 120)


def describe(core: Core, name: str, text: str, longest: int) -> bool:
    """Keep a description."""
    if len(text) > longest:
        raise bad("BOT_" + name.upper() + "_TOO_LONG")
    core.descriptions[name] = text
    return True


def leave_chat(core: Core, request: Request) -> bool:
    """Leave a group; the bot hears of it like of any change of its standing."""
    chat = find_group(core, request)
    change = {"chat": chat.json(), "from": core.me, "date": int(core.wall())}
    change["old_chat_member"] = standing(core, core.me["id"], chat.bot)
    chat.bot = "left"
    change["new_chat_member"] = standing(core, core.me["id"], "left")
    core.announce("my_chat_member", change)
    return True


TABLE = {
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyDescription": set_my_description,
    "setMyShortDescription": set_my_short_description,
    "leaveChat": leave_chat,
}
