"""Signing in by a code: a page that asks for confirmation (link previews may open it), and the form that redeems."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.limits import WRONG_CODES
from bot.web.context import WebContext, context_of
from bot.web.page import show
from bot.web.signin import hand_over, open_session, visitor
from domain.errors import Refused
from domain.said import Said
from domain.words import cleaned
from handlers import joining as joined
from storage import calendars, invites, people, sessions
from storage.database import Tx
from storage.invites import Invited
from storage.sessions import Account

_MOST_CODE = 40


@dataclass(frozen=True, slots=True)
class Joining:
    """A filled-in form, and who is signed in while it is sent."""

    code: str
    name: str
    visitor: Account | None


async def form(request: Request) -> Response:
    """GET /join?code=: says what the code is for; changes nothing, so that previews and scanners do no harm."""
    context, account = context_of(request), await visitor(request)
    code = request.query_params.get("code", "")[:_MOST_CODE]
    if not code:
        return _door(context, account, "", "")
    return await _confirmation(request, Joining(code, "", account))


async def enter(request: Request) -> Response:
    """POST /join: redeem the code, open a session, go to the chat. Without `sure` the confirmation comes first."""
    account = await visitor(request)
    async with request.form(max_files=0, max_fields=5) as sent:
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    name = cleaned(fields.get("name", "")).replace("\n", " ")[: invites.MOST_NAME]
    joining = Joining(fields.get("code", "")[:_MOST_CODE], name, account)
    if "sure" not in fields:
        return await _confirmation(request, joining)
    return await _redeem(request, joining)


def _door(context: WebContext, account: Account | None, code: str, trouble: str, status: int = 200) -> Response:
    return show(context, "door.html", account.language if account else "", status, trouble=trouble, code=code)


async def _confirmation(request: Request, joining: Joining, trouble: str = "") -> Response:
    """The page between code and session; a wrong code leads back to the door."""
    context = context_of(request)
    if not _may_try(request):
        return _door(context, joining.visitor, "", "web.join.too_often", 429)

    async def look(tx: Tx) -> Invited | None:
        return await invites.meant(tx, joining.code, context.clock_now())

    invited = await context.database.reading(look)
    if invited is None:
        return _wrong(request, joining)
    language = joining.visitor.language if joining.visitor else ""
    return show(context, "join.html", language, invited=invited, joining=joining, trouble=trouble)


def _wrong(request: Request, joining: Joining) -> Response:
    """Unknown, used and expired codes are answered alike, and counted by where they come from."""
    context = context_of(request)
    context.limits.take(_source(request), WRONG_CODES, context.machine_now())
    return _door(context, joining.visitor, joining.code, "web.join.invalid", 404)


def _source(request: Request) -> str:
    return f"codes:{request.client.host if request.client else ''}"


def _may_try(request: Request) -> bool:
    context = context_of(request)
    return context.limits.has(_source(request), WRONG_CODES, context.machine_now())


async def _redeem(request: Request, joining: Joining) -> Response:
    context = context_of(request)
    if not _may_try(request):
        return _door(context, joining.visitor, "", "web.join.too_often", 429)

    async def unit(tx: Tx) -> str | None:
        account = await _seated(tx, context, joining)
        return await open_session(request, tx, account) if account else None

    try:
        token = await context.database.transaction(unit)
    except Refused as refused:
        sentence = context.say(Said(refused.key, refused.facts))
        return await _confirmation(request, joining, sentence)
    if token is None:
        return _wrong(request, joining)
    response = RedirectResponse("/", 303)
    hand_over(request, response, token)
    return response


async def _seated(tx: Tx, context: WebContext, joining: Joining) -> Account | None:
    """The account that the code has bound, with its private chat; None for a code that is not good."""
    at = context.clock_now()
    invited = await invites.meant(tx, joining.code, at)
    if invited is None:
        return None
    if invited.chat is not None and not joining.name and joining.visitor is None:
        raise Refused("web.join.name_needed")
    account = await _account_for(tx, context, joining, invited)
    redeemed = await invites.redeem(tx, joining.code, account.id, at, joining.name)
    if redeemed is None:
        return None
    account = await sessions.account(tx, account.id)
    await sessions.open_private(tx, account, at)
    await joined.greet(tx, await calendars.in_force(tx, context.rules), account.id, redeemed, at)
    tx.on_commit(context.wake)
    return account


async def _account_for(tx: Tx, context: WebContext, joining: Joining, invited: Invited) -> Account:
    """The account to be bound: a person's own on every device, the visitor's where it can be meant, else a new one."""
    if invited.person is not None:
        return (
            await sessions.seat_of(tx, invited.person.id)
            or _unbound(joining.visitor)
            or await sessions.meet_guest(tx, invited.person.name)
        )
    own = joining.visitor
    if own is None or joining.name not in ("", own.name):
        return await sessions.meet_guest(tx, joining.name)
    if invited.enterprise is not None and own.person_id is not None:
        person = await people.person(tx, own.person_id, context.clock_now())
        if person is None or person.in_office:
            return await sessions.meet_guest(tx, joining.name)
    return own


def _unbound(account: Account | None) -> Account | None:
    return account if account is not None and account.person_id is None else None
