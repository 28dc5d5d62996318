"""The demo's panel: be anybody of the seeded park, and push its clock. None of it exists outside the demo."""

from datetime import datetime, timedelta
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.web.context import DemoControls, DemoPerson, Stride, WebContext, context_of
from bot.web.signin import hand_over, open_session, visitor
from bot.web.trouble import Trouble
from domain.said import Said
from storage import calendars, sessions
from storage.database import Tx

_STRIDES = frozenset({"hour", "next", "morning"})


def _controls(context: WebContext) -> DemoControls:
    if context.demo is None:
        raise Trouble(404, Said("web.error.not_found"))
    return context.demo


async def clock(request: Request) -> JSONResponse:
    """GET /demo/clock: the visible clock, whether it runs, and whether people work at that hour's day."""
    account = await visitor(request)
    return JSONResponse(await _clock(context_of(request), account.language if account else ""))


async def _clock(context: WebContext, language: str) -> dict[str, Any]:
    demo = _controls(context)
    rules = await context.database.reading(lambda tx: calendars.in_force(tx, context.rules))
    now, calendar = demo.now(), rules.calendar
    open_now = calendar.worked(now, now + timedelta(minutes=1)) > timedelta(0)
    return {
        "day": context.say(Said("web.day", {"at": now}), language),
        "time": context.say(Said("web.time", {"at": now}), language),
        "at": now.isoformat(),
        "working_day": calendar.is_working_day(calendar.local(now).date()),
        "open": open_now,
        "playing": demo.playing(),
    }


async def people(request: Request) -> JSONResponse:
    """GET /demo/people: whom one may be, and who one is."""
    account = await visitor(request)
    found = await _controls(context_of(request)).people()
    shown = [{"id": one.id, "name": one.name, "group": one.group, "note": one.note} for one in found]
    return JSONResponse({"people": shown, "me": account.person_id if account else None})


async def be(request: Request) -> JSONResponse:
    """POST /demo/be/{person}: go on as somebody else, with a new session."""
    context = context_of(request)
    person = _found(await _controls(context).people(), request.path_params["person"])
    at: datetime = context.clock_now()

    async def unit(tx: Tx) -> str:
        account = await sessions.seat_of(tx, person.id) or await sessions.seat(
            tx, f"person:{person.id}", person.name, at, person.id
        )
        return await open_session(request, tx, account)

    response = JSONResponse({"name": person.name})
    hand_over(request, response, await context.database.transaction(unit))
    return response


def _found(people: Any, person_id: int) -> DemoPerson:
    for person in people:
        if person.id == person_id:
            return cast(DemoPerson, person)
    raise Trouble(404, Said("web.error.not_found"))


async def advance(request: Request) -> JSONResponse:
    """POST /demo/advance/{stride}: hour, next or morning; answers when everything due has been done."""
    demo, stride = _controls(context_of(request)), request.path_params["stride"]
    if stride not in _STRIDES:
        raise Trouble(404, Said("web.error.not_found"))
    await demo.advance(cast(Stride, stride))
    return await clock(request)


async def play(request: Request) -> JSONResponse:
    """POST /demo/play/{on}: on or off."""
    await _controls(context_of(request)).play(request.path_params["on"] == "on")
    return await clock(request)


ROUTES = (
    Route("/demo/clock", clock),
    Route("/demo/people", people),
    Route("/demo/be/{person:int}", be, methods=["POST"]),
    Route("/demo/advance/{stride}", advance, methods=["POST"]),
    Route("/demo/play/{on}", play, methods=["POST"]),
)
