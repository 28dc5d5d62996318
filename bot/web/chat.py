"""The chat page's API: what the page shows, what people say, press, read and open."""

import json
import re
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.web.board import Saying
from bot.web.context import WebContext, context_of
from bot.web.signin import acting, signed_in
from bot.web.trouble import Trouble
from bot.web.uploads import MOST_FILES, SHOWN_IN_PLACE, Upload, read_upload
from bot.web.view import View
from domain.chat import Attachment
from domain.said import Said
from domain.words import cleaned
from storage import files, people, posts
from storage.database import Row, Tx
from storage.posts import Room
from storage.sessions import Account

PAGE = 50
MOST_TEXT = 3000
_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_MOST_DIGITS = 15
_RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")


async def state(request: Request) -> JSONResponse:
    """GET /api/chat/state: who I am, my rooms with their last words, the chips, and where the stream begins."""
    account, context = await signed_in(request), context_of(request)

    async def look(tx: Tx) -> dict[str, Any]:
        view = View(context, account)
        person = await people.person(tx, account.person_id, context.clock_now()) if account.person_id else None
        rooms = []
        for room in await posts.rooms(tx, account):
            last = await posts.recent(tx, room.id, most=1)
            rooms.append(view.room(room, last[0] if last else None))
        return {
            "me": {
                "id": account.id,
                "name": account.name,
                "guest": account.person_id is None,
                "office": person is not None and person.in_office,
            },
            "rooms": rooms,
            "chips": view.chips(person),
            "serial": await posts.serial(tx),
            "today": context.say(Said("web.day", {"at": context.clock_now()}), account.language),
        }

    return JSONResponse(await context.database.reading(look))


async def talk(request: Request) -> JSONResponse:
    """GET /api/chat/rooms/{id}/posts?before=: fifty posts, oldest first, and whether there are older ones."""
    account, context = await signed_in(request), context_of(request)
    before = _number(request.query_params.get("before", "0"))

    async def look(tx: Tx) -> dict[str, Any]:
        room = await _room(tx, account, request)
        found = await posts.recent(tx, room.id, before or None, PAGE + 1)
        view = View(context, account)
        return {"posts": [view.post(post) for post in found[-PAGE:]], "more": len(found) > PAGE}

    return JSONResponse(await context.database.reading(look))


async def say(request: Request) -> JSONResponse:
    """POST /api/chat/rooms/{id}/say: a form with `id`, `text`, `reply_to`, up to ten `files`; the post that it made."""
    account, context = await acting(request), context_of(request)
    room = await _my_room(context, account, request)
    async with request.form(max_files=MOST_FILES, max_fields=8) as form:
        saying = await _saying(context, room, form)
    post_id = await context.board.say(account, room, saying)
    context.wake()

    async def look(tx: Tx) -> dict[str, Any]:
        post = await posts.one(tx, post_id)
        if post is None or post.chat_id != room.id:
            raise Trouble(409, Said("web.error.malformed"))
        return {"post": View(context, account).post(post)}

    return JSONResponse(await context.database.reading(look))


async def press(request: Request) -> JSONResponse:
    """POST /api/chat/rooms/{id}/press: JSON with `id`, `post` and `data`, which must be a button of that post."""
    account, context = await acting(request), context_of(request)
    room = await _my_room(context, account, request)
    wanted = await _json(request)
    data, post_id = str(wanted.get("data", "")), _number(str(wanted.get("post", "")))

    async def look(tx: Tx) -> bool:
        post = await posts.one(tx, post_id)
        if post is None or post.chat_id != room.id:
            raise Trouble(404, Said("web.error.not_found"))
        return any(key["data"] == data for row in post.body["keys"] for key in row)

    if not await context.database.reading(look):
        raise Trouble(409, Said("web.error.button_gone"))
    await context.board.press(account, room, _page_id(str(wanted.get("id", ""))), post_id, data)
    context.wake()
    return JSONResponse({"pressed": True})


async def read(request: Request) -> Response:
    """POST /api/chat/rooms/{id}/read: JSON with `post`, the last one on the screen."""
    account, context = await signed_in(request), context_of(request)
    room = await _my_room(context, account, request)
    post_id = min(_number(str((await _json(request)).get("post", ""))), room.last)

    async def unit(tx: Tx) -> None:
        await posts.mark(tx, account.id, room.id, post_id)

    await context.database.transaction(unit)
    return Response(status_code=204)


async def file(request: Request) -> Response:
    """GET /files/{hash}: a file that stands in one of my rooms; photos in place, anything else as a download."""
    account, context = await signed_in(request), context_of(request)
    content_hash = request.path_params["hash"]

    async def look(tx: Tx) -> tuple[str, Row] | None:
        name = await posts.file_name(tx, account, content_hash)
        found = await files.fetch(tx, content_hash) if name is not None else None
        return (name, found) if name is not None and found else None

    found = await context.database.reading(look)
    if found is None:
        raise Trouble(404, Said("web.error.not_found"))
    return _download(request, *found)


def _download(request: Request, name: str, kept: Row) -> Response:
    media_type, content = kept["media_type"], bytes(kept["content"])
    place = "inline" if media_type in SHOWN_IN_PLACE else "attachment"
    headers = {
        "Content-Disposition": f"{place}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=86400, immutable",
        "Accept-Ranges": "bytes",
    }
    part = _part(request.headers.get("range", ""), len(content))
    if part is None:
        return Response(content, 200, headers, media_type)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], 206, headers, media_type)


def _part(wanted: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a single range, which players of sound ask for; None means all of it."""
    found = _RANGE.fullmatch(wanted)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(size - int(found[2]), 0), size
    else:
        start, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
    return (start, end) if start < end else None


async def _room(tx: Tx, account: Account, request: Request) -> Room:
    room = await posts.room(tx, account, _number(request.path_params["id"]))
    if room is None:
        raise Trouble(404, Said("web.error.not_found"))
    return room


async def _my_room(context: WebContext, account: Account, request: Request) -> Room:
    async def look(tx: Tx) -> Room:
        return await _room(tx, account, request)

    return await context.database.reading(look)


async def _saying(context: WebContext, room: Room, form: FormData) -> Saying:
    """The form, checked; its files are kept one by one, so that no more than one is in memory."""
    text = cleaned(_field(form, "text"))
    if len(text) > MOST_TEXT:
        raise Trouble(413, Said("web.error.text_too_long", {"most": MOST_TEXT}))
    parts = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
    if not text and not parts:
        raise Trouble(400, Said("web.error.empty"))
    page_id, replied = _page_id(_field(form, "id")), _number(_field(form, "reply_to") or "0")
    ours = await _replied(context, room, replied) if replied else False
    kept = tuple([await _keep(context, await read_upload(part)) for part in parts])
    return Saying(page_id, text, kept, replied or None, ours or _names_the_bot(context, text))


async def _replied(context: WebContext, room: Room, post_id: int) -> bool:
    """Whether the post replied to is the bot's; it must stand in the same room."""

    async def look(tx: Tx) -> bool:
        post = await posts.one(tx, post_id)
        if post is None or post.chat_id != room.id or post.kind != posts.POST:
            raise Trouble(404, Said("web.error.not_found"))
        return post.author.account_id is None

    return await context.database.reading(look)


def _names_the_bot(context: WebContext, text: str) -> bool:
    names = context.catalogue.texts["web.bot"]
    folded = text.casefold().replace("＠", "@")
    return any(f"@{name.casefold()}" in folded for name in (names.zh, names.en))


async def _keep(context: WebContext, upload: Upload) -> Attachment:
    async def unit(tx: Tx) -> str:
        return await files.keep(tx, upload.content, upload.media_type, context.clock_now())

    return Attachment(await context.database.transaction(unit), upload.name, upload.media_type)


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _page_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise Trouble(400, Said("web.error.malformed"))
    return value


def _number(value: str) -> int:
    """A row id as it stands in an address or form; 404 for anything else, as for a row that does not exist."""
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise Trouble(404, Said("web.error.not_found"))
    return int(value)


async def _json(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Trouble(400, Said("web.error.malformed")) from error
    if not isinstance(found, dict):
        raise Trouble(400, Said("web.error.malformed"))
    return found
