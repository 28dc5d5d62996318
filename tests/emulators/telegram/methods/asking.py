"""Questions of the bot: who am I, who is here, where is that file."""

from typing import Any

from tests.emulators.telegram.core import Core, Request
from tests.emulators.telegram.errors import bad
from tests.emulators.telegram.limits import DOWNLOAD
from tests.emulators.telegram.schema import API
from tests.emulators.telegram.world import MEMBERS, Chat, check_standing

KINDS = {
    "creator": "ChatMemberOwner",
    "administrator": "ChatMemberAdministrator",
    "member": "ChatMemberMember",
    "restricted": "ChatMemberRestricted",
    "left": "ChatMemberLeft",
    "kicked": "ChatMemberBanned",
}
GIFTS = dict.fromkeys(API["types"]["AcceptedGiftTypes"]["fields"], False)


def get_me(core: Core, request: Request) -> dict[str, Any]:
    """The bot itself, and what it may hear."""
    return core.me | {
        "can_join_groups": True,
        "can_read_all_group_messages": not core.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def get_file(core: Core, request: Request) -> dict[str, Any]:
    """Where a file can be downloaded; not if it is over 20 MB."""
    stored = core.world.files.get(request.params["file_id"])
    if stored is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if stored.size > DOWNLOAD:
        raise bad("file is too big")
    core.world.paths[stored.path] = stored
    answer = {"file_id": stored.file_id, "file_unique_id": stored.file_id[:24]}
    return answer | {"file_size": stored.size, "file_path": stored.path}


def find_group(core: Core, request: Request) -> Chat:
    """A group or channel the bot is in."""
    chat = core.world.find(request.params["chat_id"])
    if chat.kind == "private":
        raise bad("there are no administrators in the private chat")
    check_standing(chat)
    return chat


def get_chat(core: Core, request: Request) -> dict[str, Any]:
    """All that is known of a chat."""
    chat = core.world.find(request.params["chat_id"])
    if chat.kind != "private":
        check_standing(chat)
    full = chat.json() | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": GIFTS}
    if chat.is_group:
        flags = API["types"]["ChatPermissions"]["fields"]
        full["permissions"] = {name: name.startswith("can_send") for name in flags}
    return full


def standing(core: Core, user_id: int, status: str) -> dict[str, Any]:
    """The ChatMember object; an administrator may do everything."""
    found: dict[str, Any] = {"status": status, "user": core.world.person(user_id)}
    for name, (types, required) in API["types"][KINDS[status]]["fields"].items():
        if required and name not in found:
            found[name] = 0 if types == ["Integer"] else name.startswith("can_") and status == "administrator"
    if status == "restricted":
        found["is_member"] = True
    return found


def status_of(core: Core, chat: Chat, user_id: int) -> str:
    """How somebody stands in a chat."""
    if user_id == core.me["id"]:
        return chat.bot
    return chat.members.get(user_id, "left")


def get_chat_member(core: Core, request: Request) -> dict[str, Any]:
    """How one person, or the bot, stands in a chat."""
    chat = core.world.find(request.params["chat_id"])
    user_id = request.params["user_id"]
    if chat.kind != "private":
        check_standing(chat)
    if user_id != core.me["id"] and user_id not in core.world.users:
        raise bad("invalid user_id specified")
    if chat.kind == "private" and user_id in (chat.id, core.me["id"]):
        return standing(core, user_id, "member")
    return standing(core, user_id, status_of(core, chat, user_id))


def get_chat_administrators(core: Core, request: Request) -> list[dict[str, Any]]:
    """The owner and the administrators of a chat; bots other than this one are not listed."""
    chat = find_group(core, request)
    chiefs = ("creator", "administrator")
    found = [standing(core, user, status) for user, status in chat.members.items() if status in chiefs]
    if chat.bot in chiefs:
        found.append(standing(core, core.me["id"], chat.bot))
    return found


def get_chat_member_count(core: Core, request: Request) -> int:
    """How many are in a chat, the bot included."""
    chat = core.world.find(request.params["chat_id"])
    if chat.kind == "private":
        return 2
    check_standing(chat)
    return 1 + sum(status in MEMBERS for status in chat.members.values())


TABLE = {
    "getMe": get_me,
    "getFile": get_file,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
}
