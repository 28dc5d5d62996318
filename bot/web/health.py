"""What machines ask: is the process alive, and may it be given work."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.web.context import context_of


async def livez(request: Request) -> JSONResponse:
    """GET /livez: the loop turns."""
    return JSONResponse({"alive": True})


async def readyz(request: Request) -> JSONResponse:
    """GET /readyz: 503 while the program says that it is not ready, with its own words for why."""
    health = dict(context_of(request).health())
    ready = bool(health.setdefault("ready", True))
    return JSONResponse(health, 200 if ready else 503)
