"""Trouble on the web in plain sentences: every error is JSON that a person can read."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from bot.web.context import context_of
from domain.said import Said
from storage.errors import StorageUnavailable


class Trouble(Exception):
    """The request is answered with this status and sentence."""

    def __init__(self, status: int, said: Said) -> None:
        super().__init__(said.key)
        self.status = status
        self.said = said


_BY_STATUS: Mapping[int, Said] = {
    404: Said("web.error.not_found"),
    405: Said("web.error.method"),
}


def language_of(request: Request) -> str:
    """The language of whoever asks, once he is known."""
    return str(getattr(request.state, "language", ""))


async def tell(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that failed; `code` is stable, `error` is for people."""
    status, said = _explained(error)
    sentence = context_of(request).say(said, language_of(request))
    return JSONResponse({"error": sentence, "code": said.key.rpartition(".")[2]}, status)


def _explained(error: Exception) -> tuple[int, Said]:
    if isinstance(error, Trouble):
        return error.status, error.said
    if isinstance(error, StorageUnavailable):
        return 503, Said("web.error.busy")
    if isinstance(error, ClientDisconnect):
        return 400, Said("web.error.malformed")  # nobody is left to read it
    if isinstance(error, HTTPException):
        return error.status_code, _BY_STATUS.get(error.status_code, Said("web.error.malformed"))
    return 500, Said("web.error.broken")


TOLD: tuple[type[Exception], ...] = (Trouble, HTTPException, StorageUnavailable, ClientDisconnect)
