"""The clock's part in policy notices: post what is due, report how it went, remind before a window closes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from domain.notices import Lane
from domain.people import Person
from domain.policy import OUT, Content, Policy, State, notice_facts
from domain.rules import Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from domain.workdays import parse_span
from handlers import vouching
from handlers.jobs import Job
from handlers.router import Buttons, one_row
from storage import history, listeners, outbox, people, policies, policy_posts, undelivered
from storage.database import Tx
from storage.policy_posts import Outcome, Post

REMIND = parse_span("-3wd")
MOST_NAMED = 8
_POSTED, _REPORT = "posted", "report"
_ANSWERS = (Verb.KNOWN, Verb.UNCLEAR, Verb.OUT_OF_REACH, Verb.WANT)


# Posting ------------------------------------------------------------------------------------------------------------
def opening(rules: Rules, at: datetime) -> datetime:
    """`at`, or the next opening where it lies in quiet time: no notice comes at night, at noon or on a day off."""
    calendar = rules.calendar
    if not calendar.is_quiet(at):
        return at
    return calendar.next_open(listeners.after_night(rules, calendar.next_open(at)))


def buttons(policy: Policy) -> Buttons:
    """What can be pressed under a notice."""
    verbs = [*_ANSWERS, *([Verb.ORIGINAL] if policy.content.url else [])]
    return one_row(*(Button(verb, argument=policy.mark) for verb in verbs))


async def due(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """`3/17` posts notice 3 to chat 17; `3/posted` closes the posting; `3/report` tells the coordinator how it went."""
    keys = [f"{policy_id}/{_REPORT}" for policy_id in await policy_posts.settled(tx)]
    if rules.calendar.is_quiet(at):
        return keys
    for policy in await policies.scheduled(tx):
        if policy.post_at <= at:
            waiting = await _waiting(tx, policy)
            keys += [f"{policy.id}/{chat}" for chat in waiting or (_POSTED,)]
    return keys


async def work(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Do one of these, once: the post's primary key and the notice's state keep the turn."""
    number, _, task = key.partition("/")
    policy = await policies.by_id(tx, int(number))
    if policy is None:
        return
    if task == _REPORT:
        await _send_report(tx, rules, policy, at)
    elif task == _POSTED:
        await _close(tx, policy, at)
    else:
        await _post(tx, policy, int(task), at)


async def upcoming(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """When the next notice leaves."""
    moments = [opening(rules, max(policy.post_at, at)) for policy in await policies.scheduled(tx)]
    return min((moment for moment in moments if moment > at), default=None)


async def _waiting(tx: Tx, policy: Policy) -> list[int]:
    """The chats that the notice has still to be posted to."""
    reach = await policy_posts.reach(tx, policy.content.audience)
    posted = await policy_posts.posted_to(tx, policy.id)
    return [chat for chat in (*reach.groups, *reach.privately) if chat not in posted]


async def _post(tx: Tx, policy: Policy, chat_id: int, at: datetime) -> None:
    if policy.state is not State.SCHEDULED or chat_id in await policy_posts.posted_to(tx, policy.id):
        return
    row = await _owe(tx, policy, chat_id, at, dedupe=f"{policy.subject}:{chat_id}")
    if row is not None:
        await policy_posts.keep(tx, policy.id, chat_id, row)


async def _owe(
    tx: Tx, policy: Policy, chat_id: int, at: datetime, *, dedupe: str, due: datetime | None = None
) -> int | None:
    chat = await people.chat(tx, chat_id)
    letter = outbox.Letter(
        chat_id=chat_id,
        key="policy.notice",
        facts=notice_facts(policy.content),
        buttons=buttons(policy),
        lane=Lane.BROADCAST,
        person_id=chat.person_id,
        dedupe=dedupe,
    )
    return await outbox.owe(tx, letter, at=at, due=due)


async def _close(tx: Tx, policy: Policy, at: datetime) -> None:
    if await _waiting(tx, policy) or not await policies.move(tx, policy.id, State.SCHEDULED, State.POSTED):
        return
    facts = {"chats": len(await policy_posts.posted_to(tx, policy.id))}
    await history.write(tx, history.Line(policy.subject, "posted", None, at, facts))


# Reporting ----------------------------------------------------------------------------------------------------------
async def _send_report(tx: Tx, rules: Rules, policy: Policy, at: datetime) -> None:
    """Tell whoever published it, or the coordinators where no chat reaches him any more."""
    if not await policies.move(tx, policy.id, State.POSTED, State.REPORTED):
        return
    said, keys = await report(tx, policy, at)
    publisher = await people.person(tx, policy.published_by, at)
    if publisher is not None and await vouching.tell(tx, rules, publisher, said.key, said.facts, keys, at):
        return
    for person in await vouching.coordinators(tx, at):
        await vouching.tell(tx, rules, person, said.key, said.facts, keys, at)


async def report(tx: Tx, policy: Policy, at: datetime) -> tuple[Said, Buttons]:
    """Where a notice arrived, where not, and what was pressed; with [补发] for what did not arrive for sure."""
    posts = await policy_posts.posts(tx, policy.id)
    presses = await policies.presses(tx, policy.id)
    reach = await policy_posts.reach(tx, policy.content.audience)
    sent = [post for post in posts if post.outcome is Outcome.SENT]
    facts: dict[str, Fact] = {
        "name": policy.content.title,
        "at": at,
        "groups": sum(not post.private for post in sent),
        "privately": sum(post.private for post in sent),
        "waiting": sum(post.outcome is Outcome.WAITING for post in posts) or None,
        "failed": _named(posts, Outcome.FAILED),
        "uncertain": _named(posts, Outcome.UNCERTAIN),
        "unreached": "、".join(reach.unreached[:MOST_NAMED]) or None,
        **{verb.value: presses.get(verb, 0) for verb in _ANSWERS},
    }
    return Said("policy.report", facts), resend_buttons(policy, posts)


def _named(posts: Sequence[Post], outcome: Outcome) -> Said | None:
    names = [post.name for post in posts if post.outcome is outcome]
    return Said("policy.places", {"count": len(names), "names": "、".join(names[:MOST_NAMED])}) if names else None


def open_posts(posts: Sequence[Post]) -> list[Post]:
    """The posts that did not arrive, or not for sure."""
    return [post for post in posts if post.outcome in (Outcome.FAILED, Outcome.UNCERTAIN)]


def resend_buttons(policy: Policy, posts: Sequence[Post]) -> Buttons:
    """One button for everything that did not arrive; one a place where there are several."""
    lacking = open_posts(posts)
    everything = Button(Verb.RESEND, argument=policy.mark)
    if len(lacking) < 2:
        return ((everything,),) if lacking else ()
    single = [
        (Button(Verb.RESEND, argument=f"{policy.mark}c{post.chat_id}", label=post.name),)
        for post in lacking[:MOST_NAMED]
    ]
    return ((everything,), *single)


async def resend(tx: Tx, rules: Rules, policy: Policy, post: Post, at: datetime) -> bool:
    """Owe a post again in the place of the one that did not arrive; False where somebody did so before."""
    dedupe = f"{policy.subject}:{post.chat_id}:after:{post.outbox_id}"
    row = await _owe(tx, policy, post.chat_id, at, dedupe=dedupe, due=opening(rules, at))
    if row is None or not await policy_posts.replace(tx, policy.id, post, row):
        return False
    await undelivered.set_aside(tx, post.outbox_id)
    await policies.move(tx, policy.id, State.REPORTED, State.POSTED)
    return True


# Reminding ----------------------------------------------------------------------------------------------------------
async def closing(tx: Tx, rules: Rules, at: datetime) -> Sequence[str]:
    """`3/7`: person 7 wants to apply under notice 3, three working days before its window closes."""
    return [f"{policy.id}/{person}" for policy, person, moment in await _reminders(tx, rules, at) if moment <= at]


async def remind(tx: Tx, rules: Rules, at: datetime, key: str) -> None:
    """Remind one person, once; where no chat reaches him, his firm's liaison is asked to call."""
    policy_id, _, person_id = key.partition("/")
    policy = await policies.by_id(tx, int(policy_id))
    person = await people.person(tx, int(person_id), at)
    if policy is None or not await policies.remind(tx, int(policy_id), int(person_id), at) or person is None:
        return
    chat = await people.private_chat(tx, person.id)
    if chat is None:
        await _ask_to_call(tx, rules, policy, person, at)
        return
    letter = outbox.Letter(
        chat_id=chat.id,
        key="policy.closing",
        facts=_closing_facts(policy.content),
        buttons=one_row(Button(Verb.POLICY, argument=policy.mark, label=policy.content.title)),
        person_id=person.id,
        expires=_last_moment(rules, policy.content.closes_on),
    )
    await outbox.owe(tx, letter, at=at, due=listeners.audible(rules, person, at, urgent=False))


async def next_closing(tx: Tx, rules: Rules, at: datetime) -> datetime | None:
    """When the next of these reminders falls due."""
    return min((moment for _, _, moment in await _reminders(tx, rules, at) if moment > at), default=None)


async def _reminders(tx: Tx, rules: Rules, at: datetime) -> list[tuple[Policy, int, datetime]]:
    """Policy, person, moment; who pressed after that moment was told the closing day then."""
    found = []
    for policy, person, pressed in await policies.to_remind(tx, rules.calendar.local(at).date()):
        moment = _remind_at(rules, policy.content.closes_on)
        if policy.state in OUT and moment is not None and pressed < moment:
            found.append((policy, person, moment))
    return found


def _remind_at(rules: Rules, closes_on: date | None) -> datetime | None:
    """The digest's hour, three working days before the last day."""
    if closes_on is None:
        return None
    hour = min(rules.digest.daily, default=time(8, 30))
    return rules.calendar.offset(datetime.combine(closes_on, hour, rules.calendar.zone), REMIND)


def _last_moment(rules: Rules, closes_on: date | None) -> datetime | None:
    if closes_on is None:
        return None
    return datetime.combine(closes_on + timedelta(days=1), time(), rules.calendar.zone)


def _closing_facts(content: Content) -> Mapping[str, Fact]:
    return {
        "name": content.title,
        "last": content.closes_on,
        "address": content.fields.get("address"),
        "phone": content.fields.get("phone"),
    }


async def _ask_to_call(tx: Tx, rules: Rules, policy: Policy, person: Person, at: datetime) -> None:
    for firm_id in sorted(person.enterprise_ids):
        firm = await people.enterprise(tx, firm_id)
        facts: Mapping[str, Fact] = {**_closing_facts(policy.content), "whom": person.name, "firm": firm.short_name}
        for voucher in (await vouching.vouchers(tx, firm, at))[:1]:
            await vouching.tell(tx, rules, voucher, "policy.call_closing", facts, (), at)


JOBS: tuple[Job, ...] = (
    Job("policies", due, work, upcoming),
    Job("policy_closing", closing, remind, next_closing),
)
