"""The door for other processes: POST /_control/ to let people talk and things fail, GET to see what the bot did."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from .core import Sent
from .emulator import TelegramEmulator
from .faults import Fault
from .schema import Part
from .world import Chat, User

BYTES = ("photo", "voice")
PEOPLE = ("user", "by")
PLACES = ("group", "sender_chat")
ACTS = (
    "user group topic says album edits deletes presses expire_queries blocks unblocks deactivate adds_bot removes_bot "
    "promotes_bot joins leaves renames migrates other_bot_speaks fault outage recover duplicate_updates "
    "shuffle_updates jump_ids push_raw expire_files confirmed"
)


class Control:
    """Turns JSON into acts of the emulator.

    POST /_control/  {"call": "says", "user": 5001, "text": "...", "chat": -100}: people and chats by id,
                     files as text (latin-1), the answer {"ok": true, "result": ...}
    POST /_control/push   a list of raw updates, or {"updates": [...]}
    POST /_control/set    {"privacy": true, "unknown_fields": true, "query_window": 15}
    GET  /_control/sent?after=N   the sends from the N-th on, and how many there are
    GET  /_control/calls?after=N  the calls from the N-th on
    GET  /_control/state  counts, offences, what waits
    """

    def __init__(self, emulator: TelegramEmulator) -> None:
        self.emulator = emulator
        self.pages: dict[str, Callable[[int], Any]] = {
            "sent": self.sent,
            "calls": self.calls,
            "state": lambda _: self.state(),
        }

    async def __call__(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer one request under /_control/."""
        try:
            result = await self.act(request, path)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            return web.json_response({"ok": False, "description": f"{type(wrong).__name__}: {wrong}"}, status=400)
        except TimeoutError:
            return web.json_response({"ok": False, "description": "still unconfirmed"}, status=504)
        return web.json_response({"ok": True, "result": result}, dumps=dumps)

    async def act(self, request: web.BaseRequest, path: str) -> Any:
        """Do or show what is asked for."""
        if request.method == "GET":
            return self.pages[path](int(request.query.get("after", "0")))
        asked = json.loads(await request.read() or b"{}")
        if path == "push":
            updates = asked["updates"] if isinstance(asked, dict) else asked
            return [self.emulator.push_raw(update) for update in updates]
        if path == "set":
            return self.set(asked)
        return await self.call(path or asked.pop("call"), asked)

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """One act of the people or of the faults; also POST /_control/<name>."""
        arguments.pop("call", None)
        if name not in ACTS.split():
            raise ValueError(f"no such act: {name}")
        found = getattr(self.emulator, name)(**self.resolve(name, arguments))
        result = await found if hasattr(found, "__await__") else found
        if isinstance(result, User | Chat):
            return result.id
        return True if isinstance(result, Fault) else result

    def resolve(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Put people, chats and bytes into the places of ids and texts."""
        if name in ("user", "group", "fault"):
            return arguments
        world = self.emulator.world
        found = dict(arguments)
        for key, value in arguments.items():
            if value is None:
                continue
            if key in PEOPLE:
                found[key] = world.users[value]
            elif key in PLACES or key == "chat":
                found[key] = world.chats[value]
            elif key in BYTES:
                found[key] = value.encode("latin-1")
            elif key == "photos":
                found[key] = [one.encode("latin-1") for one in value]
            elif key == "document":
                found[key] = (value[0], value[1].encode("latin-1"), value[2])
        return found

    def set(self, asked: dict[str, Any]) -> bool:
        """Turn a switch."""
        core = self.emulator.core
        for name, value in asked.items():
            if name not in ("privacy", "unknown_fields", "query_window"):
                raise ValueError(f"no such switch: {name}")
            setattr(core, name, value)
        return True

    def sent(self, after: int) -> dict[str, Any]:
        """The sends from the `after`-th on."""
        return {"count": len(self.emulator.sent), "sent": [flat(one) for one in self.emulator.sent[after:]]}

    def calls(self, after: int) -> dict[str, Any]:
        """The calls from the `after`-th on."""
        return {"count": len(self.emulator.calls), "calls": [asdict(one) for one in self.emulator.calls[after:]]}

    def state(self) -> dict[str, Any]:
        """How things stand."""
        emulator = self.emulator
        return {
            "unconfirmed": len(emulator.unconfirmed),
            "sent": len(emulator.sent),
            "calls": len(emulator.calls),
            "refusals": emulator.refusals,
            "offences": emulator.offences,
            "answered": emulator.answered,
            "commands": emulator.commands,
            "webhook": emulator.core.webhook.url,
        }


def flat(sent: Sent) -> dict[str, Any]:
    """A send as JSON; files as name, type and size."""
    found = {
        name: getattr(sent, name) for name in ("method", "chat_id", "message_id", "text", "buttons", "at", "thread")
    }
    files = [{"filename": one.filename, "content_type": one.content_type, "size": len(one.data)} for one in sent.files]
    return found | {"params": sent.params, "files": files}


def dumps(value: Any) -> str:
    """JSON of anything the emulator records."""
    return json.dumps(value, ensure_ascii=False, default=spell)


def spell(value: Any) -> Any:
    """What JSON has no word for: file parts."""
    if isinstance(value, Part):
        return {"filename": value.filename, "size": len(value.data)}
    if isinstance(value, bytes):
        return {"size": len(value)}
    raise TypeError(f"{type(value).__name__} has no JSON")
