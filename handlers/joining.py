"""Who is who: codes, `绑定 <firm>` with the liaison's button, groups that the coordinators let in, language."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.errors import Refused
from domain.notices import Lane
from domain.people import LANGUAGES_SPELLED, Chat, Enterprise, Person, Purpose, Role
from domain.rules import Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from handlers import keeping, vouching
from handlers.router import Ask, Buttons, Handler, Reply, Request
from storage import accounts, binding, chats, invites, listeners, outbox, people
from storage.binding import BindingRequest
from storage.database import Tx
from storage.history import Line, write
from storage.invites import Invited

MOST_REQUESTS = 3
REQUESTS_IN = timedelta(days=1)


# Binding --------------------------------------------------------------------------------------------------------------
async def bind(request: Request) -> Reply | None:
    """绑定: by a code from a desk card, or by a firm's name, which its liaison confirms."""
    said = request.text.strip()
    if not said and request.person is not None:
        return Reply(_known(request, request.person), {"name": request.person.name})
    said = request.need_text("joining.ask_bind")
    if invites.looks_like(said):
        return await _by_code(request, said)
    firms = await people.enterprises_called(request.tx, said)
    if not firms and said.isascii():
        return await _by_code(request, said)
    if len(firms) != 1:
        raise Refused("joining.firm_unknown" if not firms else "joining.firm_unclear", {"name": said[:40]})
    if request.person is not None and request.person.has(Role.COORDINATOR) and not request.chat.private:
        return await _tie_group(request, firms[0])
    return await _by_firm(request, firms[0])


def _known(request: Request, person: Person) -> str:
    """How somebody is received who is known: who opens the chat is greeted, who binds again is told so."""
    if request.word != "start":
        return "joining.known"
    return "joining.hello_office" if person.in_office else "joining.hello_firm"


async def _by_code(request: Request, code: str) -> Reply | None:
    """Unknown, used and expired codes are answered alike; who guesses is not answered for a while."""
    if await invites.silenced(request.tx, request.account_id, request.at):
        return None
    invited = await invites.redeem(request.tx, code, request.account_id, request.at)
    if invited is None:
        return Reply("joining.wrong_code")
    return await _greeting(request.tx, request.rules, request.account_id, invited, request.at)


async def greet(tx: Tx, rules: Rules, account_id: int, invited: Invited, at: datetime) -> None:
    """Somebody came in by the door of the web page: what a code brings about is told in his private chat there."""
    chat_id = await accounts.private_chat(tx, account_id)
    reply = await _greeting(tx, rules, account_id, invited, at)
    if chat_id is not None:
        await outbox.owe(tx, outbox.Letter(chat_id, reply.key, reply.facts, lane=Lane.REPLY), at=at)


async def _greeting(tx: Tx, rules: Rules, account_id: int, invited: Invited, at: datetime) -> Reply:
    if invited.person is None:
        return Reply("joining.guest", {"group": invited.chat.name if invited.chat else ""})
    return await welcome(tx, rules, account_id, invited.person, invited.enterprise, at)


async def welcome(
    tx: Tx, rules: Rules, account_id: int, person: Person, firm: Enterprise | None, at: datetime
) -> Reply:
    """What follows a code: kept matters are filed, the firm's liaison hears who joined; the reply says how to go on."""
    filed = await keeping.file_kept(tx, rules, account_id, person, at, firm.id if firm else None)
    for firm_id in sorted({firm.id} if firm else person.enterprise_ids):
        joined = await people.enterprise(tx, firm_id)
        facts = {"name": person.name, "firm": joined.short_name}
        await vouching.tell_all(tx, rules, await vouching.vouchers(tx, joined, at), "joining.joined", facts, at)
    return Reply("joining.bound", await _welcome_facts(tx, person, len(filed)))


async def _welcome_facts(tx: Tx, person: Person, filed: int) -> dict[str, Fact]:
    firms = [(await people.enterprise(tx, firm)).short_name for firm in sorted(person.enterprise_ids)]
    return {"name": person.name, "firm": "、".join(firms) or None, "filed": filed or None}


async def _tie_group(request: Request, firm: Enterprise) -> Reply:
    """A coordinator says in a group which firm it belongs to."""
    await binding.tie(request.tx, request.chat.id, firm.id)
    facts = {"enterprise_id": firm.id}
    await write(request.tx, Line(f"chat:{request.chat.id}", "bind", request.who.id, request.at, facts))
    return Reply("joining.group_tied", {"firm": firm.short_name})


async def _by_firm(request: Request, firm: Enterprise) -> Reply:
    tx, at = request.tx, request.at
    if request.person is not None and request.person.in_office:
        raise Refused("joining.office_not_contact", {"firm": firm.short_name})
    if request.person is not None and firm.id in request.person.enterprise_ids:
        return Reply("joining.known", {"name": request.person.name})
    if await binding.asked_lately(tx, request.account_id, at - REQUESTS_IN) >= MOST_REQUESTS:
        raise Refused("joining.enough_requests")
    name = request.message.sender_name or await accounts.shown_name(tx, request.account_id)
    asked = await vouching.ask_about(tx, request.rules, request.account_id, firm, request.chat, name, at)
    if not asked:
        return Reply("joining.asked_before", {"firm": firm.short_name})
    return Reply("joining.asked", {"firm": firm.short_name, "whom": "、".join(asked)})


async def confirm_binding(request: Request) -> Reply:
    """确认绑定: one press binds; the second is told who was first."""
    argument = request.argument or str(request.answered.get("argument", ""))
    if argument.startswith("a"):
        return await _bind_named_firm(request, int(argument[1:]))
    asked = await binding.by_id(request.tx, int(argument[1:])) if argument[1:].isdigit() else None
    if asked is None:
        return await _waiting(request)
    firm = await people.enterprise(request.tx, asked.enterprise_id)
    if not vouching.may_vouch(request.who, firm):
        raise Refused("joining.not_yours", {"firm": firm.short_name})
    return await _agree(request, asked, firm)


async def _agree(request: Request, asked: BindingRequest, firm: Enterprise) -> Reply:
    tx, at = request.tx, request.at
    if asked.decided_at is None and await _bound_meanwhile(tx, asked):
        raise Refused("joining.bound_meanwhile")
    if not await binding.decide(tx, asked, request.who.id, at):
        return await _decided_before(request, asked)
    person = await invites.bind_to_firm(tx, firm, asked.account_id, by=request.who.id, at=at)
    filed = await keeping.file_kept(tx, request.rules, asked.account_id, person, at, firm.id)
    await _tell_bound(tx, request.rules, person, asked.chat_id, len(filed), at)
    return Reply("joining.confirmed", {"name": person.name, "firm": firm.short_name, "filed": len(filed) or None})


async def _bound_meanwhile(tx: Tx, asked: BindingRequest) -> bool:
    """Whether the account became somebody after it had asked: then the question is about a stranger who is none."""
    since = await accounts.bound_since(tx, asked.account_id)
    return since is not None and since > asked.asked_at


async def _decided_before(request: Request, asked: BindingRequest) -> Reply:
    latest = await binding.by_id(request.tx, asked.id)
    by = await people.person(request.tx, latest.decided_by or 0, request.at) if latest else None
    return Reply(
        "joining.confirmed_before", {"by": by.name if by else None, "at": latest.decided_at if latest else None}
    )


async def _tell_bound(tx: Tx, rules: Rules, person: Person, chat_id: int, filed: int, at: datetime) -> None:
    """The newly known hears it where he asked; the group hears no more than that he is known."""
    chat = await people.chat(tx, chat_id)
    private = chat if chat.private else await people.private_chat(tx, person.id)
    facts = await _welcome_facts(tx, person, filed)
    if private is not None:
        letter = outbox.Letter(private.id, "joining.bound", facts, lane=Lane.REPLY, person_id=person.id)
    else:
        letter = outbox.Letter(chat.id, "joining.bound_in_group", {"name": person.name}, lane=Lane.REPLY)
    await outbox.owe(tx, letter, at=at, due=listeners.audible(rules, None, at, urgent=False))


async def _bind_named_firm(request: Request, account_id: int) -> Reply:
    """A coordinator says which firm a stranger belongs to who wrote privately."""
    if not request.who.has(Role.COORDINATOR):
        raise Refused("refused.not_for_you", {"verb": Said(f"verb.{request.verb}")})
    if await accounts.bound_to(request.tx, account_id) is not None:
        raise Refused("joining.bound_meanwhile")
    if not request.text.strip():
        name = await accounts.shown_name(request.tx, account_id)
        raise Ask("joining.ask_firm", {"name": name}, keep={"argument": f"a{account_id}"})
    firms = await people.enterprises_called(request.tx, request.text.strip())
    if len(firms) != 1:
        key = "joining.firm_unknown" if not firms else "joining.firm_unclear"
        raise Refused(key, {"name": request.text.strip()[:40]})
    chat_id = await accounts.private_chat_of(request.tx, account_id) or request.chat.id
    asked, _ = await binding.ask(request.tx, account_id, firms[0].id, chat_id, request.at)
    return await _agree(request, asked, firms[0])


async def _waiting(request: Request) -> Reply:
    """Typed without a button: what waits for this person's word."""
    rows: list[tuple[Button, ...]] = []
    for asked in await binding.open_requests(request.tx, request.at):
        firm = await people.enterprise(request.tx, asked.enterprise_id)
        if vouching.may_vouch(request.who, firm):
            name = await accounts.shown_name(request.tx, asked.account_id)
            rows.append((vouching.confirmation(asked.id, f"{name} · {firm.short_name}"),))
    if not rows:
        raise Refused("joining.nobody_waits")
    return Reply("joining.waiting", {}, tuple(rows[:8]), private=True)


# Firms without a liaison ----------------------------------------------------------------------------------------------
async def list_unlinked(request: Request) -> Reply:
    """无挂钩: the firms for which nobody answers; told privately."""
    firms = await binding.without_liaison(request.tx)
    if not firms:
        return Reply("joining.all_linked", private=True)
    lines = [" · ".join(filter(None, (firm.short_name, firm.zone))) for firm in firms]
    return Reply("joining.unlinked", {"count": len(firms), "firms": lines}, private=True)


# Groups ---------------------------------------------------------------------------------------------------------------
async def ask_about_group(tx: Tx, rules: Rules, chat: Chat, at: datetime) -> None:
    """Somebody spoke in a group that nobody let in: the coordinators are asked once, the group hears nothing."""
    whom = await vouching.coordinators(tx, at)
    if not whom or not await binding.mark_asked(tx, chat.id, at):
        return
    buttons = ((Button(Verb.APPROVE_GROUP, argument=str(chat.id)),),)
    facts = {"group": chat.name or chat.external_id}
    for person in whom:
        await vouching.tell(tx, rules, person, "joining.approve_group", facts, buttons, at)


async def approve_group(request: Request) -> Reply:
    """批准此群: from now on the bot answers there; which firms it belongs to is said in the group or in the roster."""
    if not request.argument.isdigit():
        return await _waiting_groups(request)
    chat = await people.chat(request.tx, await chats.present(request.tx, int(request.argument)))
    name = chat.name or chat.external_id
    if not await binding.approve(request.tx, chat.id, Purpose.LIAISON.value, request.at):
        return Reply("joining.approved_before", {"group": name})
    await write(request.tx, Line(f"chat:{chat.id}", "approve_group", request.who.id, request.at, {}))
    await _welcome_group(request, chat)
    return Reply("joining.group_approved", {"group": name})


async def _welcome_group(request: Request, chat: Chat) -> None:
    """The group hears what can be said in it; where the bot hears little of it, the office hears so as well."""
    tx, rules, at = request.tx, request.rules, request.at
    due = listeners.audible(rules, None, at, urgent=False)
    await outbox.owe(tx, outbox.Letter(chat.id, "joining.group_welcome", lane=Lane.REPLY), at=at, due=due)
    if chat.hears_all:
        return
    await outbox.owe(tx, outbox.Letter(chat.id, "places.hears_little_here", lane=Lane.REPLY), at=at, due=due)
    facts = {"group": chat.name or chat.external_id}
    for person in await vouching.coordinators(tx, at):
        await vouching.tell(tx, rules, person, "places.hears_little", facts, (), at)


async def _waiting_groups(request: Request) -> Reply:
    rows: Buttons = tuple(
        (Button(Verb.APPROVE_GROUP, argument=str(row["id"]), label=row["name"] or row["external_id"]),)
        for row in await binding.waiting_groups(request.tx)
    )
    if not rows:
        raise Refused("joining.no_group_waits")
    return Reply("joining.groups_waiting", {}, rows, private=True)


# Language -------------------------------------------------------------------------------------------------------------
async def choose_language(request: Request) -> Reply:
    """语言 en, 语言 中文."""
    word = (request.argument or request.text).strip().casefold()
    if not word:
        buttons = ((_language("zh", "中文"), _language("en", "English")),)
        return Reply("joining.ask_language", {}, buttons)
    if word not in LANGUAGES_SPELLED:
        raise Refused("joining.language_unknown")
    await binding.set_language(request.tx, request.who.id, LANGUAGES_SPELLED[word])
    return Reply("joining.language_zh" if LANGUAGES_SPELLED[word] == "zh" else "joining.language_en")


def _language(code: str, label: str) -> Button:
    return Button(Verb.LANGUAGE, argument=code, label=label)


COMMANDS: Mapping[Verb, Handler] = {
    Verb.BIND: bind,
    Verb.CONFIRM_BINDING: confirm_binding,
    Verb.UNLINKED: list_unlinked,
    Verb.APPROVE_GROUP: approve_group,
    Verb.LANGUAGE: choose_language,
}
