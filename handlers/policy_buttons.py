"""What people press under a policy notice, or type: known, not clear, out of reach, we want to apply, the original."""

import re
from collections.abc import Mapping
from datetime import timedelta

from domain.errors import Refused
from domain.notices import Lane
from domain.policy import OUT, Policy, wanting_facts
from domain.rules import Kind
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import raising
from handlers.router import Ask, Handler, Reply, Request
from storage import accounts, history, outbox, people, policies, policy_posts, steps
from storage.policy_posts import firms
from storage.steps import Step

MOST_CHOICES = 5
LATELY = timedelta(days=60)
MARK = re.compile(r"p?(\d{1,9})(?:c(\d{1,9}))?", re.ASCII)


# Which notice -------------------------------------------------------------------------------------------------------
async def meant(request: Request) -> Policy:
    """The notice that a button names, a number, a replied message, the group's last; else it is picked from a few."""
    named = await _named(request)
    if named is None:
        return await _one_of_few(request)
    policy = await policies.by_id(request.tx, named)
    if policy is None or policy.state not in OUT:
        raise Refused("policy.not_found")
    return policy


async def _named(request: Request) -> int | None:
    if "policy" in request.answered:
        return int(request.answered["policy"])
    for given in (request.argument, *request.numbers):
        found = MARK.fullmatch(given)
        if found is not None:
            return int(found[1])
    if request.message.reply_to is not None:
        replied = await policy_posts.of_message(request.tx, request.chat.id, request.message.reply_to)
        if replied is not None:
            return replied
    return None if request.chat.private else await policy_posts.last_in(request.tx, request.chat.id)


async def _one_of_few(request: Request) -> Policy:
    """The only recent notice for this person's firms, or a choice of the newest."""
    mine = [firm for firm in await firms(request.tx) if firm.id in request.who.enterprise_ids]
    recent = [
        policy
        for policy in await policies.newest(request.tx, 4 * MOST_CHOICES)
        if policy.post_at > request.at - LATELY
        and (not mine or any(policy.content.audience.matches(firm) for firm in mine))
    ]
    if not recent:
        raise Refused("policy.none_lately")
    if len(recent) == 1:
        return recent[0]
    choices = tuple(
        (Button(request.verb, argument=policy.mark, label=policy.content.title),) for policy in recent[:MOST_CHOICES]
    )
    raise Ask("policy.which", {}, choices, offers=[request.verb])


# Answering ----------------------------------------------------------------------------------------------------------
async def _count(request: Request, policy: Policy) -> None:
    """Once a person and button, whatever comes of it."""
    if await policies.press(request.tx, policy.id, request.who.id, request.verb, request.at):
        line = history.Line(policy.subject, request.verb.value, request.who.id, request.at, {})
        await history.write(request.tx, line)


async def _answer(request: Request, key: str, facts: Mapping[str, Fact], short: str) -> Reply | None:
    """Privately where that is possible; in a group otherwise shortly, so that it is not flooded by presses."""
    if request.chat.private:
        return Reply(key, facts)
    chat = await people.private_chat(request.tx, request.who.id)
    if chat is None:
        return Reply(short, {"name": facts["name"], "whom": request.who.name})
    letter = outbox.Letter(
        chat_id=chat.id,
        key=key,
        facts=facts,
        lane=Lane.REPLY,
        person_id=request.who.id,
        silent=request.rules.calendar.is_quiet(request.at),
    )
    await outbox.owe(request.tx, letter, at=request.at)
    return None


async def _ask(request: Request, policy: Policy, key: str) -> Reply | None:
    """Put a question whose answer completes this command: privately where that is possible."""
    keep = {"policy": policy.id}
    facts: dict[str, Fact] = {"name": policy.content.title, "here": None}
    if not request.chat.private:
        chat = await people.private_chat(request.tx, request.who.id)
        account = await accounts.of_chat(request.tx, chat.id) if chat is not None else None
        if chat is None or account is None:
            how = "policy.call_here" if request.message.calls_only else "policy.reply_here"
            return Reply(key, {**facts, "here": Said(how)}, keep=keep)
        await steps.wait(request.tx, chat.id, account, Step(request.verb, {"keep": keep}), request.at)
        return await _answer(request, key, facts, key)
    return Reply(key, facts, keep=keep)


async def known(request: Request) -> Reply | None:
    """已知晓: counted, and that is all."""
    policy = await meant(request)
    await _count(request, policy)
    return await _answer(request, "policy.known", {"name": policy.content.title}, "policy.known_short")


async def unclear(request: Request) -> Reply | None:
    """看不懂: the question is filed as an inquiry, with number, handler and date."""
    return await _raise(request, Kind.INQUIRY, "policy.ask_unclear")


async def out_of_reach(request: Request) -> Reply | None:
    """享受不到: why not is filed as a suggestion, so that somebody answers for the reason."""
    return await _raise(request, Kind.SUGGESTION, "policy.ask_out_of_reach")


async def _raise(request: Request, kind: Kind, ask: str) -> Reply | None:
    """File what was said with the notice named below it; without words, ask for them."""
    policy = await meant(request)
    await _count(request, policy)
    if not request.text.strip():
        return await _ask(request, policy, ask)
    try:
        firm = await raising.firm_for(request)
    except Ask as which:
        raise Ask(which.key, which.facts, which.buttons, keep={"policy": policy.id}) from None
    await raising.must_not_flood(request, firm)
    said = raising.fitting(request.text.strip())
    text = f"{said}\n《{policy.content.title}》{policy.content.doc_no}"
    matter = raising.Matter(kind, text, firm.id, request.chat, request.who, request.attachments)
    appeal = await raising.file_appeal(request.tx, request.rules, matter, request.at)
    line = history.Line(policy.subject, "raised", request.who.id, request.at, {"number": appeal.number})
    await history.write(request.tx, line)
    return await raising.filed_reply(request, appeal)


async def want(request: Request) -> Reply | None:
    """想申报: what is needed, told privately; a reminder follows before the window closes."""
    policy = await meant(request)
    await _count(request, policy)
    today = request.rules.calendar.local(request.at).date()
    facts = wanting_facts(policy.content, today)
    open_until = policy.content.closes_on if not facts["closed"] else None
    facts["reminder"] = Said("policy.will_remind", {"last": open_until}) if open_until else None
    return await _answer(request, "policy.want", facts, "policy.want_short")


async def original(request: Request) -> Reply | None:
    """原文: the link, or the document number to ask for."""
    policy = await meant(request)
    facts = {"name": policy.content.title, "doc_no": policy.content.doc_no or None, "url": policy.content.url}
    key = "policy.original" if policy.content.url else "policy.no_original"
    if not request.chat.private and await people.private_chat(request.tx, request.who.id) is None:
        return Reply(key, facts)
    return await _answer(request, key, facts, key)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.KNOWN: known,
    Verb.UNCLEAR: unclear,
    Verb.OUT_OF_REACH: out_of_reach,
    Verb.WANT: want,
    Verb.ORIGINAL: original,
}
