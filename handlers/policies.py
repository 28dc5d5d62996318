"""Policy notices from the coordinator's form to the firms' groups; 政策 finds them again."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from domain.errors import Refused
from domain.people import Purpose
from domain.policy import OUT, Policy, State, notice_facts
from domain.policy_form import UNREAD, Draft, Faults, read_draft, read_fields
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import policy_buttons, policy_posts
from handlers.jobs import Job
from handlers.policy_buttons import MARK
from handlers.router import Ask, Handler, Reply, Request
from storage import history, policies
from storage import policy_posts as posts
from storage.policy_posts import Reach

MOST_FOUND = 5
MOST_NAMED = 8
_ORDER = re.compile(r"(报告|report|停发|stop)\s*#?p?(\d{0,9})", re.IGNORECASE | re.ASCII)
_CONFIRM = ((Button(Verb.CONFIRM), Button(Verb.CANCEL)),)


# Publishing ---------------------------------------------------------------------------------------------------------
async def publish(request: Request) -> Reply:
    """发布: the form, its faults all at once, a preview, and on [确认] the release; 报告 and 停发 look after it."""
    if not request.chat.private and request.chat.purpose is not Purpose.COORDINATION:
        raise Refused("policy.not_here")
    kept: Mapping[str, Any] = request.answered
    order = _ORDER.fullmatch(request.text.strip())
    if order is not None and not kept.get("fields"):
        reporting = order[1].casefold() in ("报告", "report")
        return await (_report(request, order[2]) if reporting else _stop(request, order[2]))
    fields = _fields(request, kept)
    if not fields:
        raise Ask("policy.form")
    confirmed = bool(kept.get("confirmed")) and "written_at" in kept
    written_at = datetime.fromisoformat(kept["written_at"]) if confirmed else request.at
    draft, reach = await _checked(request, fields, written_at)
    if not confirmed:
        keep = {"fields": fields, "written_at": written_at.isoformat()}
        raise Ask("policy.preview", _preview(request, draft, reach), _CONFIRM, keep=keep)
    return await _release(request, draft)


def _fields(request: Request, kept: Mapping[str, Any]) -> dict[str, str]:
    """The form so far: what was written before, and the lines of this message over it."""
    known: dict[str, str] = dict(kept.get("fields", {}))
    if kept.get("confirmed"):
        return known
    return known | read_fields(request.text, first=not known)


async def _checked(request: Request, fields: Mapping[str, str], written_at: datetime) -> tuple[Draft, Reach]:
    """The notice and whom it reaches; everything that is wrong is told at once, and the next answer mends it."""
    keep = {"fields": {name: value for name, value in fields.items() if name != UNREAD}}
    try:
        draft = read_draft(fields, request.rules.calendar.local(written_at))
    except Faults as faults:
        raise Ask("policy.faults", {"faults": faults.sentences}, keep=keep) from None
    before = await policies.like(request.tx, draft.content)
    if before is not None:
        facts = {"name": before.content.title, "doc_no": before.content.doc_no or None, "at": before.post_at}
        raise Refused("policy.published_before", facts)
    unknown = draft.content.audience.unknown(await posts.firms(request.tx))
    reach = await posts.reach(request.tx, draft.content.audience)
    sentences = [Said("policy.fault_value", {"word": word}) for word in unknown]
    if not sentences and not reach.firms:
        sentences = [Said("policy.fault_nobody")]
    if sentences:
        raise Ask("policy.faults", {"faults": sentences}, keep=keep)
    return draft, reach


def _preview(request: Request, draft: Draft, reach: Reach) -> Mapping[str, Fact]:
    asked = draft.post_at or request.at
    post_at = policy_posts.opening(request.rules, asked)
    names = "、".join(reach.unreached[:MOST_NAMED])
    unreached = Said("policy.unreached", {"count": len(reach.unreached), "names": names})
    return {
        "notice": Said("policy.notice", notice_facts(draft.content)),
        "groups": len(reach.groups),
        "firms": len(reach.firms),
        "privately": len(reach.privately) or None,
        "everybody": Said("policy.everybody") if draft.content.audience.everybody else None,
        "unreached": unreached if names else None,
        "post_at": post_at if post_at > request.at else Said("policy.at_once"),
        "moved": Said("policy.moved", {"asked": asked}) if post_at != asked else None,
        "last": draft.content.closes_on,
        "files": Said("policy.files_left") if request.attachments else None,
    }


async def _release(request: Request, draft: Draft) -> Reply:
    post_at = policy_posts.opening(request.rules, max(draft.post_at or request.at, request.at))
    policy = await policies.schedule(request.tx, draft.content, by=request.who.id, at=request.at, post_at=post_at)
    if policy is None:
        raise Refused("refused.busy")
    facts: Mapping[str, Fact] = {
        "title": draft.content.title,
        "doc_no": draft.content.doc_no,
        "post_at": post_at,
    }
    await _note(request, policy, "publish", facts, draft.content.body)
    key = "policy.released" if post_at <= request.at else "policy.scheduled"
    return Reply(key, {"name": draft.content.title, "post_at": post_at, "id": policy.id})


async def _note(request: Request, policy: Policy, name: str, facts: Mapping[str, Fact], text: str = "") -> None:
    await history.write(request.tx, history.Line(policy.subject, name, request.who.id, request.at, facts, text))


# Looking after what was published -----------------------------------------------------------------------------------
async def _report(request: Request, number: str) -> Reply:
    policy = await _released(request, number)
    if policy.state is State.SCHEDULED:
        return Reply("policy.scheduled", {"name": policy.content.title, "post_at": policy.post_at, "id": policy.id})
    said, buttons = await policy_posts.report(request.tx, policy, request.at)
    return Reply(said.key, said.facts, buttons)


async def _stop(request: Request, number: str) -> Reply:
    """停发: a notice that waits for its hour does not go out; what has gone out cannot be taken back."""
    policy = await _released(request, number)
    begun = await posts.posted_to(request.tx, policy.id)
    if begun or not await policies.move(request.tx, policy.id, State.SCHEDULED, State.STOPPED):
        raise Refused("policy.gone_out", {"name": policy.content.title, "at": policy.post_at})
    await _note(request, policy, "stop", {})
    return Reply("policy.stopped", {"name": policy.content.title})


async def _released(request: Request, number: str) -> Policy:
    found = await (policies.by_id(request.tx, int(number)) if number else policies.latest_released(request.tx))
    if found is None or found.state is State.STOPPED:
        raise Refused("policy.not_found")
    return found


async def resend(request: Request) -> Reply:
    """补发: what did not arrive for sure goes out once more; a second press finds nothing left to send."""
    found = MARK.fullmatch(request.argument or next(iter(request.numbers), "") or request.text.strip())
    policy = await _released(request, found[1] if found else "")
    if policy.state not in OUT:
        raise Refused("policy.not_found")
    open_posts = policy_posts.open_posts(await posts.posts(request.tx, policy.id))
    meant = [post for post in open_posts if not found or not found[2] or post.chat_id == int(found[2])]
    names = [
        post.name for post in meant if await policy_posts.resend(request.tx, request.rules, policy, post, request.at)
    ]
    if not names:
        raise Refused("policy.nothing_to_resend", {"name": policy.content.title})
    await _note(request, policy, "resend", {"count": len(names)})
    shown = "、".join(names[:MOST_NAMED])
    return Reply("policy.resent", {"name": policy.content.title, "count": len(names), "names": shown})


# Looking up ---------------------------------------------------------------------------------------------------------
async def look_up(request: Request) -> Reply:
    """政策 用电: what fits best; without words the newest; a pressed title shows the notice itself."""
    if MARK.fullmatch(request.argument):
        policy = await policy_buttons.meant(request)
        return Reply("policy.notice", notice_facts(policy.content), policy_posts.buttons(policy))
    words = request.text.strip()[:100]
    if words:
        found = await policies.search(request.tx, words, MOST_FOUND)
    else:
        found = await policies.newest(request.tx, MOST_FOUND)
    if not found:
        raise Refused("policy.none_found" if words else "policy.none_lately", {"words": words})
    return _results(request, found, words)


def _results(request: Request, found: Sequence[Policy], words: str) -> Reply:
    today = request.rules.calendar.local(request.at).date()
    lines = [Said("policy.result", _result(policy, today)) for policy in found]
    buttons = tuple((Button(Verb.POLICY, argument=each.mark, label=each.content.title),) for each in found)
    return Reply("policy.found" if words else "policy.newest", {"words": words, "lines": lines}, buttons)


def _result(policy: Policy, today: date) -> Mapping[str, Fact]:
    content = policy.content
    closes: Said | None = None
    if content.closes_on is not None:
        key = "policy.closes" if content.closes_on >= today else "policy.closed_on"
        closes = Said(key, {"last": content.closes_on})
    doc_no = Said("policy.result_doc_no", {"doc_no": content.doc_no}) if content.doc_no else None
    return {"name": content.title, "doc_no": doc_no, "closes": closes}


COMMANDS: Mapping[Verb, Handler] = {
    Verb.PUBLISH: publish,
    Verb.POLICY: look_up,
    **policy_buttons.COMMANDS,
}
JOBS: tuple[Job, ...] = policy_posts.JOBS
