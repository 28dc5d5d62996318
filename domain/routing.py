"""Where a new matter goes: a first guess of its category by keywords, and its handler. Unsure is an answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.people import Department, Enterprise, Person
from domain.rules import UNSURE, Category, Kind, Route

GENERAL = "advice"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who gets a matter: the handler, and the department that leads."""

    handler_id: int
    department_id: int | None


def guess(text: str, kind: Kind, categories: Mapping[str, Category]) -> str:
    """The category whose keywords say most about the text: the longest words count; a draw or silence is unsure.

    A suggestion that no other category claims goes to the general one.
    """
    scores = {code: _score(text, category) for code, category in categories.items() if code != GENERAL}
    best = max(scores.values(), default=0)
    winners = [code for code, score in scores.items() if score == best and score > 0]
    if len(winners) == 1:
        return winners[0]
    general = kind is Kind.SUGGESTION and not winners and GENERAL in categories
    return GENERAL if general else UNSURE.code


def _score(text: str, category: Category) -> int:
    return sum(len(word) for word in category.keywords if word in text)


def owner(
    kind: Kind,
    category: Category,
    firm: Enterprise,
    department: Department | None,
    people: Mapping[int, Person],
) -> Owner | None:
    """Who handles it where the rules are sure; None leaves it to the coordinator.

    A complaint is accepted by a person first. `people` holds at least liaison, deputy and duty officer by id;
    somebody on leave is passed over for his deputy.
    """
    if category.code == UNSURE.code or kind is Kind.COMPLAINT or category.route is Route.INSPECTOR:
        return None
    if category.route is Route.DEPARTMENT:
        duty = _present(department.duty_id if department else None, None, people)
        return Owner(duty, department.id) if duty is not None and department else None
    liaison = _present(firm.liaison_id, firm.deputy_id, people)
    return Owner(liaison, department.id if department else None) if liaison is not None else None


def _present(person_id: int | None, deputy_id: int | None, people: Mapping[int, Person]) -> int | None:
    """The person, or while he is on leave the deputy: his own, else the one that the firm names."""
    person = people.get(person_id or 0)
    if person is None or not person.on_leave:
        return person.id if person else None
    for candidate in (person.deputy_id, deputy_id):
        deputy = people.get(candidate or 0)
        if deputy is not None and not deputy.on_leave:
            return deputy.id
    return None
