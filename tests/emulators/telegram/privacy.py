"""What a bot hears of a group's talk: all as administrator or with privacy off, else what is meant for it."""

from typing import Any

from .core import Core, Message
from .entities import spelled
from .world import MEMBERS, Chat

SERVICE = (
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "forum_topic_created",
    "group_chat_created",
)


def hears(core: Core, chat: Chat, message: Message) -> bool:
    """Whether the platform hands a message of this chat to the bot."""
    if chat.kind == "private":
        return not core.world.users[chat.id].blocked
    if chat.bot not in MEMBERS:
        return False
    if not core.privacy or chat.bot == "administrator" or not chat.is_group:
        return True
    return is_service(message) or answers_bot(core, message) or is_command(core, chat, message)


def is_service(message: Message) -> bool:
    """A message of the platform about the group."""
    return any(name in message for name in SERVICE)


def answers_bot(core: Core, message: Message) -> bool:
    """A reply to something the bot said."""
    replied = message.get("reply_to_message")
    return replied is not None and core.is_mine(replied)


def is_command(core: Core, chat: Chat, message: Message) -> bool:
    """A command with the bot's name; or without any name, if the bot was the last bot that spoke here."""
    text: str = message.get("text") or message.get("caption") or ""
    entities: list[dict[str, Any]] = message.get("entities") or message.get("caption_entities") or []
    mine = "@" + core.me["username"].lower()
    for one in entities:
        if one["type"] != "bot_command":
            continue
        _, at, name = spelled(text, one).lower().partition("@")
        if at + name == mine or (not at and chat.bot_spoke_last):
            return True
    return False
