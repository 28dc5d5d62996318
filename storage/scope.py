"""Whose eyes a read is made with: every query over appeals takes a Scope and sees no more than it allows."""

from dataclasses import dataclass

from domain.people import Person, Role


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see. `everything` leaves sealed matters out unless `sealed` holds too.

    `contact_id` is the reader himself where he speaks for firms; 0 stands for nobody everywhere.
    """

    person_id: int = 0
    everything: bool = False
    sealed: bool = False
    department_id: int = 0
    contact_id: int = 0

    @property
    def params(self) -> dict[str, int]:
        """The named parameters that VISIBLE needs."""
        return {
            "scope_person": self.person_id,
            "scope_everything": int(self.everything),
            "scope_sealed": int(self.sealed),
            "scope_department": self.department_id,
            "scope_contact": self.contact_id,
        }


SYSTEM = Scope(everything=True, sealed=True)
"""The clock and the delivery, which show nothing to anybody by themselves."""

VISIBLE = """(
    (a.sealed = 0 AND (
        :scope_everything = 1
        OR a.handler_id = :scope_person
        OR a.liaison_id = :scope_person
        OR (a.department_id = :scope_department AND :scope_department <> 0)
        OR a.enterprise_id IN (SELECT enterprise_id FROM contacts WHERE person_id = :scope_contact)
        OR a.enterprise_id IN (SELECT id FROM enterprises
                               WHERE :scope_person IN (liaison_id, deputy_id, chief_id))
        OR (a.part_count > 0 AND a.id IN (
            SELECT appeal_id FROM parts WHERE handler_id = :scope_person
                OR (department_id = :scope_department AND :scope_department <> 0)))
    ))
    OR (a.sealed = 1 AND (:scope_sealed = 1 OR a.contact_id = :scope_person))
)"""


def scope_of(person: Person, head_of: int | None) -> Scope:
    """What a person of the roster may see; `head_of` is the department that he heads."""
    everything = person.has(Role.COORDINATOR, Role.INSPECTOR)
    contact = person.id if person.has(Role.CONTACT) else 0
    return Scope(person.id, everything, person.has(Role.INSPECTOR), head_of or 0, contact)
