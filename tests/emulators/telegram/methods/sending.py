"""Messages of the bot: text, photos, documents, albums, and the small signs of life."""

from typing import Any

from tests.emulators.telegram.core import Core, Message, Request, Sent, buttons, put_place, put_text
from tests.emulators.telegram.entities import check_entities, parse
from tests.emulators.telegram.errors import bad
from tests.emulators.telegram.limits import ALBUM, check_buttons, check_caption, check_text
from tests.emulators.telegram.schema import Part
from tests.emulators.telegram.world import Chat, Upload

ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


def read_text(params: dict[str, Any], name: str = "text") -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of a call, markup taken out and blanks around it cut off; `name` is text or caption."""
    text = params.get(name, "")
    entities = params.get("entities" if name == "text" else "caption_entities") or []
    if mode := params.get("parse_mode"):
        text, entities = parse(text, mode)
    check_entities(text, entities)
    return (text.rstrip() if entities else text.strip()), entities


def find_thread(chat: Chat, params: dict[str, Any]) -> int | None:
    """The topic a call names; the General topic must not be named."""
    thread: int | None = params.get("message_thread_id")
    if thread is None:
        return None
    if not chat.forum or thread not in chat.topics:
        raise bad("message thread not found")
    return thread


def find_replied(chat: Chat, params: dict[str, Any]) -> Message | None:
    """The message a call answers; None if it answers none, or one that is gone where that is allowed."""
    reply = params.get("reply_parameters")
    if not reply or "message_id" not in reply:
        return None
    replied = chat.messages.get(reply["message_id"])
    if replied is None and not reply.get("allow_sending_without_reply"):
        raise bad("message to be replied not found")
    return replied


class Draft:
    """A message the bot is about to send: all that can be refused is checked before anything happens."""

    def __init__(self, core: Core, request: Request, count: int = 1) -> None:
        self.core, self.request, self.count = core, request, count
        params = request.params
        self.chat = core.world.writable(params["chat_id"])
        self.thread = find_thread(self.chat, params)
        self.replied = find_replied(self.chat, params)
        self.markup = params.get("reply_markup")
        check_buttons(self.markup)
        self.files: list[Upload] = []

    def admit(self) -> None:
        """Let flood control have its say; the last thing that can refuse."""
        self.core.flood.admit(self.chat, self.count, self.core.clock())

    def compose(self) -> Message:
        """The message as far as its content does not matter, under its id."""
        message = self.core.own_envelope(self.chat)
        put_place(message, self.chat, self.thread, self.replied)
        if self.markup and "inline_keyboard" in self.markup:
            message["reply_markup"] = self.markup
        return message

    def post(self, message: Message) -> Message:
        """Put the message into the chat."""
        self.chat.messages[message["message_id"]] = message
        self.chat.bot_spoke_last = True
        return message

    def note(self, message: Message, text: str) -> None:
        """Record the send."""
        params = self.request.params
        thread = message.get("message_thread_id") if message.get("is_topic_message") else None
        place = (self.chat.id, message["message_id"])
        rows = buttons(self.markup)
        files = tuple(self.files)
        self.core.note(Sent(self.request.method, *place, text, rows, params, files, self.core.clock(), thread))


def send_message(core: Core, request: Request) -> Message:
    """Send a text."""
    draft = Draft(core, request)
    text, entities = read_text(request.params)
    check_text(text)
    draft.admit()
    message = draft.compose()
    put_text(message, text, entities)
    draft.post(message)
    draft.note(message, text)
    return message


def take_file(core: Core, request: Request, source: Any, kind: str) -> tuple[dict[str, Any] | None, Upload | None]:
    """The stored file a parameter means (as its JSON), and the upload if it came with this call."""
    if isinstance(source, str) and source.startswith("attach://"):
        source = request.files.get(source.removeprefix("attach://"))
        if source is None:
            raise bad("wrong file identifier/HTTP URL specified")
    if isinstance(source, Part):
        if not source.data:
            raise bad("file must be non-empty")
        upload = Upload(kind, source.filename, source.content_type, source.data)
        return None, upload
    stored = core.world.files.get(source)
    if stored is None:
        raise bad("wrong file identifier/HTTP URL specified")
    return described(stored.file_id, stored.size), None


def described(file_id: str, size: int) -> dict[str, Any]:
    """The fields every kind of file has."""
    return {"file_id": file_id, "file_unique_id": file_id[:24], "file_size": size}


def media(core: Core, kind: str, upload: Upload, *, size: int | None = None) -> Any:
    """Keep an upload; the value that stands under `kind` in a message (photos come in two sizes)."""
    stored = core.world.keep(kind + "s", upload, size=size)
    found = described(stored.file_id, stored.size)
    if kind == "photo":
        small = Upload("photo", "small.jpg", "image/jpeg", b"small:" + upload.data[:32])
        thumb = core.world.keep("thumbs", small)
        sizes = [described(thumb.file_id, thumb.size) | {"width": 90, "height": 67}]
        return [*sizes, found | {"width": 1280, "height": 960}]
    if kind == "voice":
        return found | {"duration": 3, "mime_type": upload.content_type}
    return found | {"file_name": upload.filename, "mime_type": upload.content_type}


def reused(kind: str, found: dict[str, Any]) -> Any:
    """The value under `kind` for a file that is sent again by its id."""
    return [found | {"width": 1280, "height": 960}] if kind == "photo" else found


def attach(draft: Draft, message: Message, kind: str, source: Any) -> None:
    """Put a file into a message."""
    found, upload = take_file(draft.core, draft.request, source, kind)
    if upload is not None:
        message[kind] = media(draft.core, kind, upload)
        draft.files.append(upload)
    elif found is not None:
        message[kind] = reused(kind, found)


def send_file(core: Core, request: Request, kind: str) -> Message:
    """Send a photo or a document."""
    draft = Draft(core, request)
    text, entities = read_text(request.params, "caption")
    check_caption(text)
    take_file(core, request, request.params[kind], kind)
    draft.admit()
    message = draft.compose()
    attach(draft, message, kind, request.params[kind])
    if text:
        put_text(message, text, entities, caption=True)
    draft.post(message)
    draft.note(message, text)
    return message


def send_photo(core: Core, request: Request) -> Message:
    """Send a photo."""
    return send_file(core, request, "photo")


def send_document(core: Core, request: Request) -> Message:
    """Send a document."""
    return send_file(core, request, "document")


def send_media_group(core: Core, request: Request) -> list[Message]:
    """Send an album; photos and documents do not mix."""
    items = request.params["media"]
    if len(items) not in ALBUM:
        raise bad("media must include 2-10 items")
    draft = Draft(core, request, len(items))
    kinds = {item["type"] for item in items}
    if kinds & {"document", "audio"} and len(kinds) > 1:
        raise bad("document can't be mixed with other media types")
    captions = [read_text(item, "caption") for item in items]
    for item, (text, _) in zip(items, captions, strict=True):
        check_caption(text)
        take_file(core, request, item["media"], item["type"])
    draft.admit()
    core.albums += 1
    messages = []
    for item, (text, entities) in zip(items, captions, strict=True):
        message = draft.compose() | {"media_group_id": f"1{core.albums:017d}"}
        attach(draft, message, item["type"], item["media"])
        if text:
            put_text(message, text, entities, caption=True)
        messages.append(draft.post(message))
    draft.note(messages[0], next((text for text, _ in captions if text), ""))
    return messages


def send_chat_action(core: Core, request: Request) -> bool:
    """Show that the bot is busy."""
    chat = core.world.writable(request.params["chat_id"])
    find_thread(chat, request.params)
    if request.params["action"] not in ACTIONS:
        raise bad("wrong parameter action in request")
    core.actions.append((chat.id, request.params["action"]))
    return True


TABLE = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "sendChatAction": send_chat_action,
}
