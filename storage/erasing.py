"""Takes people's words out of history: what happened stays, and so does the proof that something was said."""

from storage.database import Tx

_OF_APPEAL = "SELECT id FROM events WHERE appeal_id = :id"
_OF_PERSON = "SELECT id FROM events WHERE actor_id = :id"


async def words_of_appeal(tx: Tx, appeal_id: int) -> int:
    """Erase every text of a matter, whoever wrote it, with its salt; how many there were."""
    return await _erase(tx, _OF_APPEAL, appeal_id)


async def words_of_person(tx: Tx, person_id: int) -> int:
    """Erase every text that a person wrote in any matter, with its salt; how many there were."""
    return await _erase(tx, _OF_PERSON, person_id)


async def _erase(tx: Tx, which: str, row_id: int) -> int:
    return await tx.run(f"DELETE FROM event_texts WHERE event_id IN ({which})", {"id": row_id})
