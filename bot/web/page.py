"""The pages themselves: the chat for whoever is signed in, the door for whoever is not."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.web.context import WebContext, context_of
from bot.web.signin import visitor
from domain.said import Said
from storage.sessions import Account

INSIDE = "/join/inside"
"""Where whoever opens the page inside a platform is recognised."""
STATIC = Path(__file__).parent / "static"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
PAGE_TEXTS = (
    "web.page.audio",
    "web.page.cancel_reply",
    "web.page.edited",
    "web.page.empty",
    "web.page.empty_group",
    "web.page.empty_hint",
    "web.page.empty_office",
    "web.page.failed",
    "web.page.file",
    "web.page.new_below",
    "web.page.no_rooms",
    "web.page.offline",
    "web.page.older",
    "web.page.remove",
    "web.page.reply",
    "web.page.replying",
    "web.page.retry",
    "web.page.sending",
    "web.page.too_many",
    "web.page.unread",
    "web.page.you",
)
DEMO_TEXTS = (
    "web.demo.everybody",
    "web.demo.fewer",
    "web.demo.group_firm",
    "web.demo.group_inspection",
    "web.demo.group_liaison",
    "web.demo.group_department",
    "web.demo.group_office",
    "web.demo.pause",
    "web.demo.play",
    "web.demo.rest_day",
    "web.demo.step",
    "web.demo.working_day",
    "web.demo.tour1",
    "web.demo.tour1_title",
    "web.demo.tour2",
    "web.demo.tour2_title",
    "web.demo.tour3",
    "web.demo.tour3_title",
    "web.demo.tour4",
    "web.demo.tour4_title",
    "web.demo.tour5",
    "web.demo.tour5_title",
)
_SAMPLES = {"count": "{count}", "most": "{most}", "name": "{name}", "step": "{step}"}


@lru_cache(maxsize=16)
def asset(name: str) -> str:
    """The address of a static file; it changes with its content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def page_texts(context: WebContext, language: str, keys: tuple[str, ...]) -> str:
    """Sentences for the script as JSON, by the last part of their key; their holes stay open."""
    said = {key.rpartition(".")[2]: context.say(Said(key, _SAMPLES), language) for key in keys}
    return json.dumps(said, ensure_ascii=False)


def show(context: WebContext, template: str, language: str, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page; `say("web.…")` in its template is a sentence in this language."""

    def say(key: str, **holes: str) -> str:
        return context.say(Said(key, holes), language)

    body = _TEMPLATES.get_template(template).render(
        say=say, asset=asset, lang=language or context.rules.language, park=context.rules.park, **facts
    )
    return HTMLResponse(body, status)


async def home(request: Request) -> Response:
    """GET /: the chat, or the way in."""
    context = context_of(request)
    account = await visitor(request)
    if account is None and _is_recognisable(context, request):
        return RedirectResponse(INSIDE, 303)
    if account is None and context.demo is None:
        return show(context, "door.html", "", trouble="", code="")
    return show(context, "chat.html", account.language if account else "", **_facts(context, account))


def _is_recognisable(context: WebContext, request: Request) -> bool:
    """Whether the page is open inside a platform that can say who is there."""
    keeper = context.doorkeeper
    return keeper is not None and keeper.inside in request.headers.get("user-agent", "").lower()


def _facts(context: WebContext, account: Account | None) -> Mapping[str, Any]:
    language = account.language if account else ""
    return {
        "demo": context.demo is not None,
        "signed_in": account is not None,
        "texts": page_texts(context, language, PAGE_TEXTS),
        "demo_texts": page_texts(context, language, DEMO_TEXTS) if context.demo else "{}",
    }
