"""What machines ask: is the process alive, may it be given work, and how is it doing."""

from ipaddress import ip_address

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.web.context import context_of

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


async def livez(request: Request) -> JSONResponse:
    """GET /livez: the loop turns."""
    return JSONResponse({"alive": True})


async def readyz(request: Request) -> JSONResponse:
    """GET /readyz: 503 with what is wrong: storage cannot write, another schema, a channel that hears nothing."""
    context = context_of(request)
    wrong = [context.say(said) for said in await context.health()]
    return JSONResponse({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)


async def metrics(request: Request) -> Response:
    """GET /metrics: for Prometheus, from this machine or a private network and past no proxy; 404 to everybody else."""
    if not _is_near(request):
        return PlainTextResponse("Not Found", 404)
    return Response(await context_of(request).metrics(), media_type=CONTENT_TYPE_LATEST)


def _is_near(request: Request) -> bool:
    """Whether the asker speaks to this process itself, and not from the open network.

    https is spoken by a proxy alone: who names the host of such a `public_url` comes through it, whatever it passes on.
    """
    context = context_of(request)
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    if context.https_only and request.url.hostname == context.https_only:
        return False
    try:
        peer = ip_address(request.client.host)
    except ValueError:
        return False
    return peer.is_loopback or peer.is_private
