"""A corporation's platform in a box: start it, let members talk to the app, look at what the app did."""

from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any, Self

from .callbacks import Callback, Caller
from .core import Core, Media, Member, Post, Response, Sent
from .faults import Fault
from .methods import new_code
from .server import Server

MEDIA_TYPES = {"image": "image/jpeg", "voice": "audio/amr", "video": "video/mp4", "file": "application/octet-stream"}


class WecomApiEmulator:
    """Stands for qyapi.weixin.qq.com for one app; `wall` gives seconds since the epoch."""

    def __init__(self, wall: Callable[[], float] | None = None, **settings: Any) -> None:
        self.core = Core(**settings)
        self.core.wall = wall or self.core.wall
        self.server = Server(self.core)
        self.caller = Caller(self.core)
        self._last_id = 6_000_000_000

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close everything."""
        await self.caller.close()
        await self.server.stop()

    @property
    def api_base(self) -> str:
        """The address in place of https://qyapi.weixin.qq.com, without a slash at the end."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def sent(self) -> list[Sent]:
        """The messages of the app, in order."""
        return self.core.sent

    @property
    def posts(self) -> list[Post]:
        """What the group robots said."""
        return self.core.posts

    @property
    def offences(self) -> list[str]:
        """Calls that no well-made client makes."""
        return self.core.offences

    # Who is there ------------------------------------------------------------------------------------------------
    def member(self, userid: str, name: str, *, visible: bool = True) -> Member:
        """Let somebody be of the corporation."""
        found = Member(userid, name, visible)
        self.core.members[userid.lower()] = found
        return found

    def robot(self, key: str) -> str:
        """Let a group have a robot with this key."""
        self.core.robots[key] = True
        return key

    def authorizes(self, userid: str, *, outsider: bool = False) -> str:
        """The code a browser is sent back with after somebody was recognised."""
        code = new_code()
        told = {"openid": userid} if outsider else {"userid": userid}
        self.core.codes[code] = (told, self.core.wall())
        return code

    def keep(self, kind: str, name: str, content: bytes) -> str:
        """A file that a member has sent; its media_id."""
        media_id = token_urlsafe(32)
        self.core.media[media_id] = Media(name, MEDIA_TYPES[kind], content, self.core.wall())
        return media_id

    # What goes wrong ---------------------------------------------------------------------------------------------
    def fault(self, path: str | None = None, **how: Any) -> Fault:
        """Spoil the next call; see Fault."""
        found = Fault(path, **how)
        self.core.faults.waiting.append(found)
        return found

    def revoke(self, code: int = 40014) -> None:
        """End the access token before its time."""
        self.core.revoke(code)

    # What members do ---------------------------------------------------------------------------------------------
    def message(self, userid: str, kind: str, **fields: object) -> Callback:
        """The call that brings a message; not delivered yet."""
        self._last_id += 1
        return self.caller.make(
            {**self._head(userid, kind), **fields, "MsgId": self._last_id, "AgentID": self.core.agent_id}
        )

    def event(self, userid: str, event: str, **fields: object) -> Callback:
        """The call that brings an event."""
        return self.caller.make(
            {**self._head(userid, "event"), "Event": event, **fields, "AgentID": self.core.agent_id}
        )

    def _head(self, userid: str, kind: str) -> dict[str, object]:
        return {
            "ToUserName": self.core.corp_id,
            "FromUserName": userid,
            "CreateTime": int(self.core.wall()),
            "MsgType": kind,
        }

    async def says(self, userid: str, text: str) -> int:
        """A text to the app; the status of the last try."""
        return await self.caller.deliver(self.message(userid, "text", Content=text))

    async def shows(self, userid: str, content: bytes) -> int:
        """A picture to the app."""
        media_id = self.keep("image", "photo.jpg", content)
        picture = self.message(userid, "image", PicUrl=f"{self.api_base}/no/picture", MediaId=media_id)
        return await self.caller.deliver(picture)

    async def enters(self, userid: str) -> int:
        """The app is opened."""
        return await self.caller.deliver(self.event(userid, "enter_agent", EventKey=""))

    async def presses(self, userid: str, sent: Sent, label: str) -> int:
        """A button of a card."""
        return await self.caller.deliver(self.press(userid, sent, label))

    def press(self, userid: str, sent: Sent, label: str) -> Callback:
        """The call that brings the press of a button; a new response_code comes with it."""
        key = next(key for text, key in sent.buttons if text == label)
        code = token_urlsafe(24)
        self.core.responses[code] = Response(sent.id, self.core.wall())
        return self.event(
            userid,
            "template_card_event",
            EventKey=key,
            TaskId=sent.content["task_id"],
            CardType=sent.content["card_type"],
            ResponseCode=code,
        )
