"""WeCom's self-built app as a channel: private messages to members, encrypted callbacks, and who is at the web page."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.routing import BaseRoute

from bot.channel import Abilities, Desk, Finding, Pace, Parcel, PlainChannel, Window
from bot.channels import Kit, files
from bot.channels.qyapi import Account, ApiError, Denied, TooMuch, Wire
from bot.channels.wecom_app import reading, sending, setup
from bot.channels.wecom_app.intake import Intake, Keys
from bot.channels.wecom_app.reading import NAME
from domain.chat import Attachment, Incoming, LostFile
from domain.said import Said

_log = logging.getLogger(__name__)

PACE = Pace(overall=20, chat_seconds=0.0, windows=(Window(30, 60.0), Window(1000, 3600.0)))
"""WeCom drops without a word what a member gets from an app beyond 30 messages a minute and 1000 an hour."""
ABILITIES = Abilities(idempotent=True, pace=PACE)
FETCH_TRIES = 3
FETCH_PAUSE = 1.0
NAME_SECONDS = 2.0
"""A callback must be answered within 5 seconds: so long at most it waits for a name."""
MOST_NAMES = 5000
AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"


@dataclass(frozen=True, slots=True)
class App:
    """A self-built app as the console of WeCom shows it."""

    corp_id: str
    agent_id: int
    secret: str
    token: str
    aes_key: str
    api_base: str = "https://qyapi.weixin.qq.com"


class WecomApp(PlainChannel):
    """One app. Sending a row again is harmless: the platform knows the same bytes within half an hour."""

    name = NAME
    inside = "wxwork"

    def __init__(self, app: App, kit: Kit, *, pace: Pace | None = PACE) -> None:
        self.abilities = replace(ABILITIES, pace=pace)
        self._app = app
        self._kit = kit
        self._wire = Wire(app.api_base)
        self._account = Account(self._wire, app.corp_id, app.secret)
        self._sender = sending.Sender(self._account, app.agent_id, kit.say)
        self._intake = Intake(
            Keys(app.corp_id, app.agent_id, app.token, app.aes_key), self.name_of, self._sender.keep_code
        )
        self._names: OrderedDict[str, str] = OrderedDict()

    async def run(self, desk: Desk) -> None:
        """Nothing to do but to be called; members begin by opening the app."""
        await desk.introduce(NAME, await self._own_name(), "")
        await asyncio.Event().wait()

    async def _own_name(self) -> str:
        try:
            told = await self._account.get("agent/get", agentid=str(self._app.agent_id))
        except ApiError as error:
            _log.warning("the app's name is not known: %s", error)
            return ""
        return str(told.get("name") or "")

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        """The callback address."""
        return self._intake.routes(desk)

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """A callback as a message; ValueError where it cannot be read."""
        return reading.read(body, at)

    async def fetch(self, remote: str, desk: Desk) -> Attachment | LostFile:
        """Download a file and keep it; WeCom keeps it for three days."""
        for failures in range(FETCH_TRIES):
            await asyncio.sleep(FETCH_PAUSE * failures)
            try:
                content = await self._account.download(remote)
            except TooMuch:
                return LostFile("", files.too_large())
            except Denied:
                break
            except ApiError as error:
                _log.warning("a file could not be fetched: %s", error)
            else:
                return await files.take(desk, content, remote)
        return LostFile("", Said("file.unreachable"))

    def parts(self, parcel: Parcel) -> Sequence[Parcel]:
        """Pieces of a long text, cards, then the files."""
        return sending.parts(parcel, self._kit.say)

    async def send(self, parcel: Parcel) -> str:
        """One call; the id of the message."""
        return await self._sender.send(parcel)

    def may_edit(self, platform_id: str | None) -> bool:
        """Whether there is a code with which this card can be changed once."""
        return self._sender.may_edit(platform_id)

    async def examine(self, groups: Mapping[str, str]) -> Sequence[Finding]:
        """Whether the app answers, and what is left to enter in WeCom's console."""
        return await setup.examine(self._account, self._app.agent_id, self._kit.public_url)

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()

    # Who is there ------------------------------------------------------------------------------------------------
    async def name_of(self, userid: str) -> str:
        """How a member is called; "" where nobody says so in time."""
        if userid not in self._names:
            try:
                async with asyncio.timeout(NAME_SECONDS):
                    told = await self._account.get("user/get", userid=userid)
            except (ApiError, TimeoutError) as error:
                _log.debug("the name of a member is not known: %s", error)
                return ""
            self._names[userid] = str(told.get("name") or "")
            if len(self._names) > MOST_NAMES:
                self._names.popitem(last=False)
        return self._names[userid]

    def way(self, back: str, state: str) -> str:
        """Where a browser inside WeCom is sent, to come back with a code that says who it is."""
        query = {
            "appid": self._app.corp_id,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_base",
            "agentid": str(self._app.agent_id),
            "state": state,
        }
        return f"{AUTHORIZE}?{urlencode(query)}#wechat_redirect"

    async def who(self, code: str) -> str | None:
        """The user id behind a code, once; None for somebody of another corporation, and for a code that is no good.

        TimeoutError where WeCom does not say now.
        """
        try:
            told = await self._account.get("auth/getuserinfo", code=code)
        except Denied as denied:
            _log.warning("a sign-in by wecom came to nothing: %s", denied)
            return None
        except ApiError as error:
            _log.warning("wecom does not say who is there: %s", error)
            raise TimeoutError(str(error)) from None
        return told.get("userid") or told.get("UserId") or None


def make(kit: Kit) -> WecomApp:
    """The app of [channels.wecom_app]."""
    settings = kit.settings
    app = App(
        settings.corp_id,
        settings.agent_id,
        settings.secret.get_secret_value(),
        settings.token.get_secret_value(),
        settings.aes_key.get_secret_value(),
        settings.api_base,
    )
    return WecomApp(app, kit)
