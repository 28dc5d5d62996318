"""Live news for a page as server-sent events: each post with its serial, replayed after Last-Event-ID."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import StreamingResponse

from bot.web.bell import heard
from bot.web.context import WebContext, context_of
from bot.web.signin import signed_in, token_of
from bot.web.view import View
from storage import posts, sessions
from storage.database import Tx
from storage.posts import Post

LOOK_EVERY = 2.0  # seconds; how late a page hears what another replica has put up
_BEATS = 7  # quiet looks before a sign of life, which keeps proxies from closing
_BATCH = 100


@dataclass(frozen=True, slots=True)
class News:
    """What is new after a serial; `upto` is how far this has read."""

    posts: Sequence[Post]
    upto: int


async def stream(request: Request) -> StreamingResponse:
    """GET /api/chat/stream: text/event-stream of `post` and `toast` events for all rooms of the account."""
    account, context = await signed_in(request), context_of(request)
    events = _events(context, token_of(request), View(context, account), _start(request))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _start(request: Request) -> int | None:
    """The serial that the page has seen last."""
    last = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None


async def _events(context: WebContext, token: str, view: View, start: int | None) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    after, quiet = start, 0
    while not context.board.bell.over:
        bell = context.board.bell.listen()
        news = await context.database.reading(lambda tx, after=after: _news(tx, context, token, after))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        if news is None:
            yield "event: over\ndata: {}\n\n"
            return
        after = news.upto
        for post in news.posts:
            yield _event(view, post)
        if len(news.posts) < _BATCH:
            quiet = 0 if news.posts else quiet + 1
            if quiet % _BEATS == _BEATS - 1:
                yield ": still here\n\n"
            await heard(bell, LOOK_EVERY)


async def _news(tx: Tx, context: WebContext, token: str, after: int | None) -> News | None:
    """None when the session is over; who may read what is looked up anew each time."""
    account = await sessions.holder(tx, token, context.machine_now())
    if account is None:
        return None
    newest = await posts.serial(tx)
    if after is None or newest <= after:
        return News((), newest if after is None else after)
    found = await posts.after(tx, account, after, _BATCH)
    return News(found, found[-1].serial if len(found) == _BATCH else newest)


def _event(view: View, post: Post) -> str:
    data = json.dumps(view.post(post), ensure_ascii=False)
    return f"id: {post.serial}\nevent: {post.kind}\ndata: {data}\n\n"
