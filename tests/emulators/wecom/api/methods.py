"""What each call does once it is let through."""

from collections.abc import Callable, Mapping
from secrets import token_hex, token_urlsafe
from typing import Any

from . import schema
from .core import CODE_SECONDS, RESPONSE_SECONDS, Core, Media, Post, Response, Sent
from .errors import Refused

Answer = dict[str, Any]
Query = Mapping[str, str]
FILE_SIZES = {"file": 20 << 20, "image": 10 << 20, "voice": 2 << 20, "video": 10 << 20}
RECALL_SECONDS = 24 * 3600


def gettoken(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """GET gettoken?corpid&corpsecret"""
    if query.get("corpid") != core.corp_id:
        raise Refused(40013)
    if query.get("corpsecret") != core.secret:
        raise Refused(40001)
    token, seconds = core.give_token()
    return {"access_token": token, "expires_in": seconds}


def send(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """POST message/send"""
    if wrong := list(schema.send_faults(body, core.agent_id)):
        raise core.offend(f"message/send: {'; '.join(wrong)}")
    now = core.wall()
    checked = body.get("enable_duplicate_check") == 1
    if checked and raw in core.duplicates and core.duplicates[raw][0] > now:
        core.repeats += 1
        return core.duplicates[raw][1]
    answer = _deliver(core, body, raw, now)
    if checked:
        core.duplicates[raw] = (now + body.get("duplicate_check_interval", 1800), answer)
    return answer


def _deliver(core: Core, body: Answer, raw: bytes, now: float) -> Answer:
    kind = body["msgtype"]
    content = body[kind]
    if kind in schema.FILES:
        core.fresh(content["media_id"])
    asked = dict.fromkeys(name.lower() for name in body["touser"].split("|"))
    known = [name for name in asked if name in core.members and core.members[name].visible]
    bad = [name for name in asked if name not in known]
    if not known:
        raise Refused(81013)
    if (task := content.get("task_id")) is not None:
        if task in core.tasks:
            raise core.offend("message/send: a task_id for the second time")
        core.tasks.add(task)
    shown = tuple(core.members[name].id for name in known if core.flood.admits(name, now))
    dropped = tuple(core.members[name].id for name in known if core.members[name].id not in shown)
    code = token_urlsafe(24) if content.get("card_type") in schema.BUTTON_CARD else ""
    sent = Sent(token_urlsafe(32), kind, content, shown, dropped, now, raw, code)
    core.sent.append(sent)
    if code:
        core.responses[code] = Response(sent.id, now)
    return {"invaliduser": "|".join(bad), "msgid": sent.id, **({"response_code": code} if code else {})}


def update_card(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """POST message/update_template_card: by a response_code, once, within 72 hours."""
    known = {"userids", "agentid", "response_code", "button", "template_card", "atall"}
    if set(body) - known or body.get("agentid") != core.agent_id or ("button" in body) == ("template_card" in body):
        raise core.offend("message/update_template_card: fields")
    if "template_card" in body and (wrong := list(schema.card_faults(body["template_card"]))):
        raise core.offend(f"message/update_template_card: {'; '.join(wrong)}")
    behind = core.responses.get(str(body.get("response_code")))
    if behind is None or behind.used or behind.at + RESPONSE_SECONDS < core.wall():
        raise Refused(72021)
    behind.used = True
    core.updated.append((behind.sent, body.get("template_card") or body["button"]))
    return {"invaliduser": ""}


def recall(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """POST message/recall {msgid}: within 24 hours."""
    sent = next((one for one in core.sent if one.id == body.get("msgid")), None)
    if sent is None or sent.at + RECALL_SECONDS < core.wall():
        raise core.offend("message/recall: no such message")
    core.recalled.add(sent.id)
    return {}


def upload(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """POST media/upload?type: a form with one file called media."""
    kind = query.get("type", "")
    if kind not in FILE_SIZES or not isinstance(body, Media):
        raise core.offend("media/upload: wants type and a form with media", 40004)
    if not 5 < len(body.content) <= FILE_SIZES[kind]:
        raise core.offend(f"media/upload: {len(body.content)} bytes")
    media_id = token_urlsafe(32)
    core.media[media_id] = body
    return {"type": kind, "media_id": media_id, "created_at": str(int(body.at))}


def user(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """GET user/get?userid"""
    found = core.members.get(query.get("userid", "").lower())
    if found is None:
        raise Refused(60111)
    return {"userid": found.id, "name": found.name, "department": [1], "status": 1}


def whoever(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """GET auth/getuserinfo?code: once, within 5 minutes."""
    found = core.codes.pop(query.get("code", ""), None)
    if found is None or found[1] + CODE_SECONDS < core.wall():
        raise Refused(40029)
    return found[0]


def agent(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """GET agent/get?agentid"""
    if query.get("agentid") != str(core.agent_id):
        raise Refused(40056)
    visible = [{"userid": member.id} for member in core.members.values() if member.visible]
    return {"agentid": core.agent_id, "name": "联企", "close": 0, "allow_userinfos": {"user": visible}}


def robot(core: Core, query: Query, body: Any, raw: bytes) -> Answer:
    """POST webhook/send?key"""
    key = query.get("key", "")
    if not core.robots.get(key):
        raise Refused(93000)
    if isinstance(body, dict) and body.get("text") == {"content": ""}:
        raise Refused(44004)
    if wrong := list(schema.robot_faults(body)):
        raise core.offend(f"webhook/send: {'; '.join(wrong)}")
    if not core.robot_flood.admits(key, core.wall()):
        raise Refused(45009, "api freq out of limit")
    content = body[body["msgtype"]]
    mentioned = tuple(content.get("mentioned_list", ()))
    core.posts.append(Post(key, body["msgtype"], content["content"], mentioned, core.wall()))
    return {}


Method = Callable[[Core, Query, Any, bytes], Answer]
OPEN: Mapping[str, tuple[str, Method]] = {"gettoken": ("GET", gettoken), "webhook/send": ("POST", robot)}
"""Calls that need no access_token."""
GUARDED: Mapping[str, tuple[str, Method]] = {
    "message/send": ("POST", send),
    "message/update_template_card": ("POST", update_card),
    "message/recall": ("POST", recall),
    "media/upload": ("POST", upload),
    "user/get": ("GET", user),
    "auth/getuserinfo": ("GET", whoever),
    "agent/get": ("GET", agent),
}


def new_code() -> str:
    """What the authorize page hands to a browser."""
    return token_hex(16)
