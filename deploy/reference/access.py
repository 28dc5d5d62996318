"""Who may do what: verbs down, and across how somebody stands to a matter, or what he is where there is none."""

from deploy.reference.tables import data, table, zh
from domain.access import WITH_APPEAL, WITHOUT_APPEAL, Relation, may
from domain.appeal import Status
from domain.people import Role
from domain.verbs import Verb

ALWAYS = "●"


def with_appeal() -> str:
    """A cell counts the statuses in which somebody who stands so may do it; a dot says that it is never a question."""
    words = data("commands")["relations"]
    headers = ("命令 / verb", *(words[relation]["zh"] for relation in Relation))
    return table(headers, [(_name(verb), *(_cell(verb, one) for one in Relation)) for verb in WITH_APPEAL])


def without_appeal() -> str:
    """A dot for each role that may ask for it."""
    headers = ("命令 / verb", *(zh(f"role.{role}") for role in Role))
    dots = {verb: [ALWAYS if role in roles else "" for role in Role] for verb, roles in WITHOUT_APPEAL.items()}
    return table(headers, [(_name(verb), *row) for verb, row in dots.items()])


def _name(verb: Verb) -> str:
    return f"{zh(f'verb.{verb}')} `{verb}`"


def _cell(verb: Verb, relation: Relation) -> str:
    held = frozenset({relation})
    allowed = [status for status in Status if may(verb, held, status)]
    return ALWAYS if len(allowed) == len(Status) else str(len(allowed) or "")
