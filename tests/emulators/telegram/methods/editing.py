"""Messages that are there already: edits, deletions, answers to presses, reactions."""

from typing import Any

from tests.emulators.telegram.core import Core, Message, Request, Sent, buttons, put_text
from tests.emulators.telegram.errors import NOT_MODIFIED, QUERY_TOO_OLD, bad
from tests.emulators.telegram.limits import CALLBACK_TEXT, check_buttons, check_caption, check_text
from tests.emulators.telegram.world import Chat

from .sending import read_text

DELETABLE = 48 * 3600  # seconds
MEDIA = ("photo", "document", "voice", "video", "audio")
EMOJIS = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥
🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨
🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡
"""
REACTIONS = set(EMOJIS.split())


def find_own(core: Core, params: dict[str, Any]) -> tuple[Chat, Message]:
    """The message a call wants to edit; only the bot's own can be."""
    if "chat_id" not in params:
        raise bad("chat_id is empty")
    if "message_id" not in params:
        raise bad("message identifier is not specified")
    chat = core.world.writable(params["chat_id"])
    message = chat.messages.get(params["message_id"])
    if message is None:
        raise bad("message to edit not found")
    if not core.is_mine(message):
        raise bad("message can't be edited")
    return chat, message


def replace(core: Core, request: Request, chat: Chat, before: Message, after: Message) -> Message:
    """Put an edited message into the place of the old one; without a keyboard in the call it has none any more."""
    markup = request.params.get("reply_markup")
    check_buttons(markup)
    after.pop("reply_markup", None)
    if markup and markup["inline_keyboard"]:
        after["reply_markup"] = markup
    if after == before:
        raise bad(NOT_MODIFIED)
    if core.flood.limits and core.flood.limits.edits:
        core.flood.admit(chat, 1, core.clock())
    after["edit_date"] = int(core.wall())
    chat.messages[after["message_id"]] = after
    text: str = after.get("text") or after.get("caption") or ""
    thread = after.get("message_thread_id") if after.get("is_topic_message") else None
    place = (chat.id, after["message_id"])
    core.note(Sent(request.method, *place, text, buttons(markup), request.params, (), core.clock(), thread))
    return after


def without(message: Message, *names: str) -> Message:
    """A copy of a message without some of its fields."""
    return {key: value for key, value in message.items() if key not in names}


def edit_message_text(core: Core, request: Request) -> Message:
    """Give a text message another text."""
    chat, before = find_own(core, request.params)
    if "text" not in before:
        raise bad("there is no text in the message to edit")
    text, entities = read_text(request.params)
    check_text(text, edit=True)
    after = without(before, "text", "entities")
    put_text(after, text, entities)
    return replace(core, request, chat, before, after)


def edit_message_caption(core: Core, request: Request) -> Message:
    """Give a photo or document another caption, or none."""
    chat, before = find_own(core, request.params)
    if not any(kind in before for kind in MEDIA):
        raise bad("there is no caption in the message to edit")
    text, entities = read_text(request.params, "caption")
    check_caption(text)
    after = without(before, "caption", "caption_entities")
    if text:
        put_text(after, text, entities, caption=True)
    return replace(core, request, chat, before, after)


def edit_message_reply_markup(core: Core, request: Request) -> Message:
    """Change or take away the buttons under a message."""
    chat, before = find_own(core, request.params)
    return replace(core, request, chat, before, dict(before))


def delete_message(core: Core, request: Request) -> bool:
    """Delete a message: the bot's own, any in a private chat, any where it is administrator; not after 48 hours."""
    chat = core.world.writable(request.params["chat_id"])
    message = chat.messages.get(request.params["message_id"])
    if message is None:
        raise bad("message to delete not found")
    may = core.is_mine(message) or chat.kind == "private" or chat.bot == "administrator"
    if not may or core.wall() - message["date"] > DELETABLE:
        raise bad("message can't be deleted")
    del chat.messages[message["message_id"]]
    return True


def answer_callback_query(core: Core, request: Request) -> bool:
    """End the spinner of a pressed button, once, and soon enough."""
    params = request.params
    text = params.get("text")
    if text is not None and len(text) > CALLBACK_TEXT:
        raise bad("MESSAGE_TOO_LONG")
    query = core.queries.get(params["callback_query_id"])
    if query is None or not query.open or core.clock() - query.at > core.query_window:
        raise bad(QUERY_TOO_OLD)
    query.open = False
    core.answered[params["callback_query_id"]] = text
    return True


def set_message_reaction(core: Core, request: Request) -> bool:
    """Put one emoji of the fixed list on a message, or take it away."""
    params = request.params
    chat = core.world.writable(params["chat_id"])
    if params["message_id"] not in chat.messages:
        raise bad("message to react not found")
    wanted = params.get("reaction") or []
    emojis = [one.get("emoji", "") for one in wanted]
    if len(emojis) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(emoji not in REACTIONS for emoji in emojis):
        raise bad("REACTION_INVALID")
    core.reactions[chat.id, params["message_id"]] = emojis
    return True


TABLE = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "setMessageReaction": set_message_reaction,
}
