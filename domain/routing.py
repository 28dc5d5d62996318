"""Where a new matter goes: a first guess of its category by keywords, and its handler. Unsure is an answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.people import Department
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
    kind: Kind, category: Category, department: Department | None, *, liaison: int | None, on_duty: int | None
) -> Owner | None:
    """Who handles it where the rules are sure; None leaves it to the coordinator.

    A complaint is accepted by a person first. `liaison` and `on_duty` are who is there for the firm and for the
    department now, himself or his stand-in; None where nobody is.
    """
    if category.code == UNSURE.code or kind is Kind.COMPLAINT or category.route is Route.INSPECTOR:
        return None
    if category.route is Route.DEPARTMENT:
        return Owner(on_duty, department.id) if on_duty is not None and department else None
    return Owner(liaison, department.id if department else None) if liaison is not None else None
