"""The callback address: known by its signature, read by its key, answered 200 once what it brings is committed."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channel import Desk, NotKept, Replayed, Update
from bot.channels.wecom_app.cipher import Forged, decrypt, is_signed
from bot.channels.wecom_app.letters import MOST_BYTES, fields_of
from bot.channels.wecom_app.reading import NAME, external_id

_log = logging.getLogger(__name__)

PATH = "/channels/wecom_app"
FRESH = timedelta(seconds=300)
Namer = Callable[[str], Awaitable[str]]
"""The name of a member by his user id, "" where it is not known in time."""
Pressed = Callable[[str, str], None]
"""Hears of a card that was pressed, and of the code with which it can be changed."""


def _wrong() -> Response:
    """The one answer to whatever is not WeCom's, not for us, not of now, not whole, or for the second time."""
    return PlainTextResponse("not for you", 403)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the console of WeCom gave for the app and its callback address."""

    corp_id: str
    agent_id: int
    token: str
    aes_key: str


class Intake:
    """One app's callbacks."""

    def __init__(self, keys: Keys, name_of: Namer, pressed: Pressed) -> None:
        self._keys = keys
        self._name_of = name_of
        self._pressed = pressed

    def routes(self, desk: Desk) -> tuple[Route, Route]:
        """GET is the console's trial of the address, POST brings messages."""

        async def try_out(request: Request) -> Response:
            try:
                words = self._opened(request, desk, request.query_params.get("echostr", ""))
            except Forged:
                return _wrong()
            return PlainTextResponse(words)

        async def receive(request: Request) -> Response:
            return await self._receive(request, desk)

        return Route(PATH, try_out, methods=["GET"]), Route(PATH, receive, methods=["POST"])

    def _sealed(self, body: bytes) -> str:
        """What is encrypted in an envelope that is addressed to us; "" in any other."""
        envelope = fields_of(body)
        ours = envelope.get("ToUserName") == self._keys.corp_id
        ours &= envelope.get("AgentID", "") in ("", str(self._keys.agent_id))
        return envelope.get("Encrypt", "") if ours else ""

    def _opened(self, request: Request, desk: Desk, encrypted: str) -> bytes:
        """What was said, once it is known to be WeCom's and of now; Forged before anything else is looked at."""
        query, keys = request.query_params, self._keys
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not encrypted or not is_signed(keys.token, query.get("msg_signature", ""), timestamp, nonce, encrypted):
            raise Forged("not a callback of ours")
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise Forged("not a callback of ours")
        if abs(desk.now().timestamp() - int(timestamp)) > FRESH.total_seconds():
            _log.warning("a callback of another time is refused; does this machine's clock go right?")
            raise Forged("not a callback of ours")
        return decrypt(keys.aes_key, encrypted, keys.corp_id)

    async def _receive(self, request: Request, desk: Desk) -> Response:
        body = await request.body()
        if len(body) > MOST_BYTES:
            return _wrong()
        try:
            fields = fields_of(self._opened(request, desk, self._sealed(body)))
            mark = hashlib.sha256(f"{request.query_params['nonce']} {request.query_params['msg_signature']}".encode())
            await self._bring(desk, fields, mark.hexdigest())
        except (Forged, ValueError, Replayed):
            return _wrong()
        except NotKept as trouble:
            _log.warning("what came in cannot be kept now, wecom is to come again: %s", trouble)
            return PlainTextResponse("later", 503)
        return PlainTextResponse("")

    async def _bring(self, desk: Desk, fields: Mapping[str, str], mark: str) -> None:
        """Commit what a callback says, with its mark, so that it counts once on every replica."""
        sender = fields.get("FromUserName", "")
        updates = []
        if sender and fields.get("ToUserName") == self._keys.corp_id:
            body = {"message": dict(fields), "name": await self._name_of(sender)}
            updates = [Update(external_id(fields), sender, body)]
        await desk.receive(NAME, self._keys.corp_id, updates, once=mark)
        self._pressed(fields.get("TaskId", ""), fields.get("ResponseCode", ""))
