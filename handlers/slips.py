"""撤销 of a handler's slip: within a minute, before the firm has heard of it, it is as if it had not been said."""

from domain.appeal import Appeal, Details, Slip, Status
from domain.errors import Refused
from domain.guards import SECOND_THOUGHTS
from domain.notices import HELD_BACK
from domain.said import Said
from domain.verbs import Verb
from handlers.router import Reply, Request
from storage import appeals, history, listeners, outbox
from storage.database import Row
from storage.values import from_ms

_NAMES = frozenset(verb.value for verb in HELD_BACK)


async def take_back(request: Request) -> Reply | None:
    """Take the last step of this person back; None where it is none that could ever be."""
    if not request.who.in_office:
        return None
    appeal = await _appeal(request)
    row = await history.step_at(request.tx, appeal.id or 0, appeal.version) if appeal else None
    if appeal is None or row is None or row["actor_id"] != request.who.id or row["name"] not in _NAMES:
        return None
    if request.at >= from_ms(row["at"]) + SECOND_THOUGHTS:
        raise Refused("refused.too_late_to_take_back")
    slip = await _slip(request, appeal, row)
    details = Details(slip=slip, facts={"undone": slip.verb.value})
    after = await request.step(appeal, Verb.TAKE_BACK, details)
    await outbox.call_off(request.tx, after.id or 0, slip.at)
    facts = await listeners.appeal_facts(request.tx, after, request.rules)
    return Reply("work.taken_back", {**facts, "verb": Said(f"verb.{slip.verb}")}, appeal=after)


async def _appeal(request: Request) -> Appeal | None:
    """The matter that is named, or of which he took the last step."""
    if request.numbers or request.button or request.reply_to_appeal is not None:
        return await request.known()
    last = await history.last_by(request.tx, request.who.id)
    return await appeals.by_id(request.tx, last) if last is not None else None


async def _slip(request: Request, appeal: Appeal, row: Row) -> Slip:
    """What was before the last step of an appeal."""
    done = await history.done_before(request.tx, appeal.id or 0, appeal.version)
    return Slip(
        verb=Verb(row["name"]),
        by=row["actor_id"],
        at=from_ms(row["at"]),
        status=Status(row["from_status"]),
        progress_at=done["progress"][1] if "progress" in done else None,
        acknowledged_at=done["acknowledge"][0] if "acknowledge" in done else None,
        contacted_at=done["contacted"][0] if "contacted" in done else None,
    )
