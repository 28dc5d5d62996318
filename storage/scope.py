"""Whose eyes a read is made with: every query over appeals takes a Scope and sees no more than it allows."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.people import Person, Role


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see. `everything` leaves sealed matters out unless `sealed` holds too.

    `contact_id` is the reader himself where he speaks for firms; 0 stands for nobody everywhere. `others` are those
    on leave for whom he stands in, `departments` those that he or one of them heads.
    """

    person_id: int = 0
    everything: bool = False
    sealed: bool = False
    departments: frozenset[int] = frozenset()
    contact_id: int = 0
    others: frozenset[int] = frozenset()

    @property
    def params(self) -> dict[str, int | str]:
        """The named parameters that VISIBLE needs."""
        return {
            "scope_person": self.person_id,
            "scope_everything": int(self.everything),
            "scope_sealed": int(self.sealed),
            "scope_departments": listed(self.departments),
            "scope_others": listed(self.others),
            "scope_contact": self.contact_id,
        }


def listed(ids: Iterable[int]) -> str:
    """Row ids as one parameter, ",3,7,", to be asked by LIKE '%,' || id || ',%'; empty for none."""
    return f",{','.join(map(str, sorted(ids)))}," if ids else ""


SYSTEM = Scope(everything=True, sealed=True)
"""The clock and the delivery, which show nothing to anybody by themselves."""

VISIBLE = """(
    (a.sealed = 0 AND (
        :scope_everything = 1
        OR a.handler_id = :scope_person
        OR a.liaison_id = :scope_person
        OR (:scope_departments <> '' AND :scope_departments LIKE '%,' || a.department_id || ',%')
        OR (:scope_others <> '' AND (:scope_others LIKE '%,' || a.handler_id || ',%'
            OR :scope_others LIKE '%,' || a.liaison_id || ',%'
            OR a.enterprise_id IN (SELECT id FROM enterprises WHERE :scope_others LIKE '%,' || liaison_id || ',%'
                OR :scope_others LIKE '%,' || deputy_id || ',%' OR :scope_others LIKE '%,' || chief_id || ',%')))
        OR a.enterprise_id IN (SELECT enterprise_id FROM contacts WHERE person_id = :scope_contact)
        OR a.enterprise_id IN (SELECT id FROM enterprises
                               WHERE :scope_person IN (liaison_id, deputy_id, chief_id))
        OR (a.part_count > 0 AND a.id IN (
            SELECT appeal_id FROM parts WHERE handler_id = :scope_person
                OR (:scope_departments <> '' AND :scope_departments LIKE '%,' || department_id || ',%')
                OR (:scope_others <> '' AND :scope_others LIKE '%,' || handler_id || ',%')))
    ))
    OR (a.sealed = 1 AND (:scope_sealed = 1 OR a.contact_id = :scope_person))
)"""


def scope_of(person: Person, heads: frozenset[int] = frozenset()) -> Scope:
    """What a person of the roster may see; `heads` are the departments that he heads or stands in for."""
    everything = person.has(Role.COORDINATOR, Role.INSPECTOR)
    contact = person.id if person.has(Role.CONTACT) else 0
    return Scope(person.id, everything, person.has(Role.INSPECTOR), heads, contact, person.standing_in_for)
