"""Signing in by being known: a platform says who opened the page inside it, and he is let in as who he is bound to."""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.channel import Doorkeeper
from bot.limits import WRONG_CODES
from bot.web.context import WebContext, context_of
from bot.web.page import INSIDE, show
from bot.web.signin import hand_over, open_session
from bot.web.trouble import Trouble
from domain.said import Said
from storage import accounts, people, sessions
from storage.database import Tx

_MOST = 600
_SECONDS = 600
"""How long somebody may be on the way; the platform's code lives 5 minutes."""


async def enter(request: Request) -> Response:
    """GET /join/inside: to the platform to be recognised, and back from there with a code, into the chat."""
    context = context_of(request)
    keeper = context.doorkeeper
    if keeper is None or not urlsplit(context.public_url).netloc:
        raise Trouble(404, Said("web.error.not_found"))
    if "code" not in request.query_params:
        return _send_away(context, keeper)
    response = await _let_in(request, context, keeper)
    response.delete_cookie(_cookie(context), path="/", secure=context.secure, httponly=True, samesite="lax")
    return response


def _cookie(context: WebContext) -> str:
    return "__Host-lianqi-way" if context.secure else "lianqi-way"


def _state(way: str) -> str:
    return hashlib.sha256(f"way {way}".encode()).hexdigest()


def _send_away(context: WebContext, keeper: Doorkeeper) -> Response:
    """Off to the platform; the cookie ties whoever comes back to this browser, so that nobody is let in as another."""
    way = secrets.token_urlsafe(32)
    back = f"{context.public_url.rstrip('/')}{INSIDE}"
    response = RedirectResponse(keeper.way(back, _state(way)), 303)
    response.set_cookie(
        _cookie(context), way, max_age=_SECONDS, path="/", secure=context.secure, httponly=True, samesite="lax"
    )
    return response


async def _let_in(request: Request, context: WebContext, keeper: Doorkeeper) -> Response:
    source, now = f"codes:{request.client.host if request.client else ''}", context.machine_now()
    way, state = request.cookies.get(_cookie(context), ""), request.query_params.get("state", "")
    if not way or not hmac.compare_digest(_state(way).encode(), state.encode()):
        return _door(context, "web.inside.again", 400)
    if not context.limits.has(source, WRONG_CODES, now):
        return _door(context, "web.join.too_often", 429)
    try:
        user = await keeper.who(request.query_params["code"][:_MOST])
    except TimeoutError:
        return _door(context, "web.inside.silent", 503)
    if user is None:
        context.limits.take(source, WRONG_CODES, now)
        return _door(context, "web.inside.outsider", 403)
    token = await context.database.transaction(lambda tx: _session(tx, request, keeper, user))
    if token is None:
        return _door(context, "web.inside.unknown", 403)
    response = RedirectResponse("/", 303)
    hand_over(request, response, token)
    return response


async def _session(tx: Tx, request: Request, keeper: Doorkeeper, user: str) -> str | None:
    """A session of the person to whom the platform's user is bound; None where nobody said who he is."""
    at = context_of(request).clock_now()
    person = await people.by_account(tx, keeper.name, user, at)
    if person is None:
        return None
    account = await sessions.seat_of(tx, person.id)
    if account is None:
        account = await sessions.meet_guest(tx, person.name)
        await accounts.bind(tx, account.id, person.id, by=None, at=at)
    await sessions.open_private(tx, account, at)
    return await open_session(request, tx, account)


def _door(context: WebContext, trouble: str, status: int) -> Response:
    """The door for codes, with what to do."""
    return show(context, "door.html", "", status, trouble=trouble, code="")
