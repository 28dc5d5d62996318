"""Sessions in cookies: who asks, signing in with a new id, signing out."""

from starlette.requests import Request
from starlette.responses import Response

from bot.limits import ACTIONS
from bot.web.context import WebContext, context_of
from bot.web.trouble import Trouble
from domain.said import Said
from storage import sessions
from storage.database import Tx
from storage.sessions import Account

_LONGEST = 400 * 24 * 3600  # seconds; browsers keep no cookie longer, and the session ends by itself when idle


def cookie_name(context: WebContext) -> str:
    """`__Host-` ties the cookie to this very host, which browsers allow with https only."""
    return "__Host-lianqi" if context.secure else "lianqi"


def token_of(request: Request) -> str:
    """The session's token, "" without one."""
    return request.cookies.get(cookie_name(context_of(request)), "")


async def visitor(request: Request) -> Account | None:
    """Whose session the request comes with; the session is kept alive by being used."""
    context, token = context_of(request), token_of(request)
    if not token:
        return None
    now = context.machine_now()

    async def look(tx: Tx) -> tuple[Account | None, bool]:
        return await sessions.holder(tx, token, now), await sessions.is_stale(tx, token, now)

    async def touch(tx: Tx) -> None:
        await sessions.touch(tx, token, now)

    account, stale = await context.database.reading(look)
    if account is not None:
        request.state.language = account.language
        if stale:
            await context.database.transaction(touch)
    return account


async def signed_in(request: Request) -> Account:
    """The same, for requests that nobody may make without a session."""
    account = await visitor(request)
    if account is None:
        raise Trouble(401, Said("web.error.signed_out"))
    return account


async def acting(request: Request) -> Account:
    """The same, for requests that do something: at most 20 in ten seconds."""
    account, context = await signed_in(request), context_of(request)
    if not context.limits.take(f"account:{account.id}", ACTIONS, context.machine_now()):
        raise Trouble(429, Said("web.error.too_often"))
    return account


async def open_session(request: Request, tx: Tx, account: Account) -> str:
    """A new session for the account; the one that the browser came with ends."""
    now = context_of(request).machine_now()
    if old := token_of(request):
        await sessions.end(tx, old, now)
    return await sessions.begin(tx, account.id, now)


def hand_over(request: Request, response: Response, token: str) -> None:
    """Give the browser its session."""
    context = context_of(request)
    response.set_cookie(
        cookie_name(context), token, max_age=_LONGEST, path="/", secure=context.secure, httponly=True, samesite="lax"
    )


async def leave(request: Request) -> Response:
    """POST /api/chat/sign-out: the session ends here and on the server."""
    context, token = context_of(request), token_of(request)
    now = context.machine_now()

    async def unit(tx: Tx) -> None:
        await sessions.end(tx, token, now)

    await context.database.transaction(unit)
    response = Response(status_code=204)
    response.delete_cookie(cookie_name(context), path="/", secure=context.secure, httponly=True, samesite="lax")
    return response
