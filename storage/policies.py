"""Policy notices: released, posted once to each chat, answered by presses, found again by search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from domain.grams import grams, ranked, rarest, weights
from domain.policy import FACETS, Audience, Content, Policy, State
from domain.verbs import Verb
from storage.database import Row, Tx
from storage.values import from_json, from_ms, to_json, to_ms

MOST_TERMS = 10
_TITLE, _TEXT = 3, 1
_OUT = "p.state IN ('posted', 'reported')"


def _policy(row: Row) -> Policy:
    audience = from_json(row["audience"])
    content = Content(
        title=row["title"],
        body=row["body"],
        doc_no=row["doc_no"],
        url=row["url"],
        audience=Audience(**{facet: tuple(audience[facet]) for facet in FACETS}, words=audience["words"]),
        fields=from_json(row["fields"]),
        closes_on=date.fromisoformat(row["closes_on"]) if row["closes_on"] else None,
    )
    return Policy(
        id=row["id"],
        content=content,
        published_by=row["published_by"],
        published_at=from_ms(row["published_at"]),
        post_at=from_ms(row["post_at"]),
        state=State(row["state"]),
    )


def _policies(rows: Iterable[Row]) -> list[Policy]:
    return [_policy(row) for row in rows]


async def schedule(tx: Tx, content: Content, *, by: int, at: datetime, post_at: datetime) -> Policy | None:
    """Release a notice; None where one of the same title and document number stands already."""
    audience = {facet: list(getattr(content.audience, facet)) for facet in FACETS}
    row = await tx.one(
        """INSERT INTO policies(title, doc_no, body, url, audience, fields, published_by, published_at, post_at,
                                closes_on, state)
           VALUES (:title, :doc_no, :body, :url, :audience, :fields, :by, :at, :post_at, :closes_on, :state)
           ON CONFLICT DO NOTHING RETURNING *""",
        {
            "title": content.title,
            "doc_no": content.doc_no,
            "body": content.body,
            "url": content.url,
            "audience": to_json({**audience, "words": content.audience.words}),
            "fields": to_json(dict(content.fields)),
            "by": by,
            "at": to_ms(at),
            "post_at": to_ms(post_at),
            "closes_on": content.closes_on.isoformat() if content.closes_on else None,
            "state": State.SCHEDULED.value,
        },
    )
    if row is None:
        return None
    await _index(tx, row["id"], content)
    return _policy(row)


async def _index(tx: Tx, policy_id: int, content: Content) -> None:
    heads = [(content.title, _TITLE), (content.doc_no, _TITLE)]
    texts = [(text, _TEXT) for text in (content.body, content.audience.shown or "", *content.fields.values())]
    for gram, weight in weights(heads + texts).items():
        await tx.run(
            "INSERT INTO policy_grams(gram, policy_id, weight) VALUES (:gram, :id, :weight)",
            {"gram": gram, "id": policy_id, "weight": weight},
        )


async def by_id(tx: Tx, policy_id: int) -> Policy | None:
    """The notice of that id, in whatever state."""
    row = await tx.one("SELECT * FROM policies WHERE id = :id", {"id": policy_id})
    return _policy(row) if row else None


async def like(tx: Tx, content: Content) -> Policy | None:
    """The notice of the same title and document number, unless it was stopped before it went out."""
    row = await tx.one(
        "SELECT * FROM policies WHERE title = :title AND doc_no = :doc_no AND state <> 'stopped'",
        {"title": content.title, "doc_no": content.doc_no},
    )
    return _policy(row) if row else None


async def newest(tx: Tx, most: int) -> Sequence[Policy]:
    """The notices that went out last."""
    sql = f"SELECT p.* FROM policies p WHERE {_OUT} ORDER BY p.post_at DESC, p.id DESC LIMIT :most"
    return _policies(await tx.all(sql, {"most": most}))


async def latest_released(tx: Tx) -> Policy | None:
    """The notice released last, gone out or waiting."""
    row = await tx.one("SELECT * FROM policies WHERE state <> 'stopped' ORDER BY id DESC LIMIT 1")
    return _policy(row) if row else None


async def scheduled(tx: Tx) -> Sequence[Policy]:
    """What waits for its hour, in the order of these hours."""
    return _policies(await tx.all("SELECT * FROM policies WHERE state = 'scheduled' ORDER BY post_at, id"))


async def move(tx: Tx, policy_id: int, before: State, after: State) -> bool:
    """Change the state; False where somebody else was faster."""
    moved = await tx.run(
        "UPDATE policies SET state = :after WHERE id = :id AND state = :before",
        {"id": policy_id, "before": before.value, "after": after.value},
    )
    return moved == 1


# Search ---------------------------------------------------------------------------------------------------------------
async def search(tx: Tx, words: str, most: int) -> Sequence[Policy]:
    """The notices that went out and fit the words best, by their rarest pairs of characters."""
    frequencies = await _frequencies(tx, grams(words))
    terms = rarest(frequencies, MOST_TERMS)
    if not terms:
        return ()
    listed, params = _listed(terms)
    hits = await tx.all(
        f"""SELECT g.policy_id, g.gram, g.weight FROM policy_grams g JOIN policies p ON p.id = g.policy_id
            WHERE g.gram IN ({listed}) AND {_OUT}""",
        params,
    )
    counted = await tx.one(f"SELECT COUNT(*) AS n FROM policies p WHERE {_OUT}")
    assert counted is not None  # an aggregate
    triples = [(row["policy_id"], row["gram"], row["weight"]) for row in hits]
    found = [await by_id(tx, each) for each in ranked(triples, frequencies, counted["n"])[:most]]
    return [policy for policy in found if policy is not None]


async def _frequencies(tx: Tx, wanted: frozenset[str]) -> Mapping[str, int]:
    """How many notices hold each pair; a lone character is looked for inside of pairs."""
    found: dict[str, int] = {}
    for gram in sorted(wanted):
        lone = len(gram) == 1
        rows = await tx.all(
            f"""SELECT g.gram, COUNT(*) AS n FROM policy_grams g JOIN policies p ON p.id = g.policy_id
                WHERE {_OUT} AND (g.gram = :gram {"OR g.gram LIKE :first OR g.gram LIKE :last" if lone else ""})
                GROUP BY g.gram""",
            {"gram": gram, **({"first": f"{gram}_", "last": f"_{gram}"} if lone else {})},
        )
        found |= {row["gram"]: row["n"] for row in rows}
    return found


def _listed(values: Sequence[object]) -> tuple[str, dict[str, object]]:
    """Placeholders and parameters of an IN list."""
    params = {f"v{place}": value for place, value in enumerate(values)}
    return ", ".join(f":{name}" for name in params), params


# Presses --------------------------------------------------------------------------------------------------------------
async def press(tx: Tx, policy_id: int, person_id: int, verb: Verb, at: datetime) -> bool:
    """Count a press; False where this person has pressed this before."""
    counted = await tx.run(
        """INSERT INTO policy_presses(policy_id, person_id, verb, pressed_at) VALUES (:policy, :person, :verb, :at)
           ON CONFLICT (policy_id, person_id, verb) DO NOTHING""",
        {"policy": policy_id, "person": person_id, "verb": verb.value, "at": to_ms(at)},
    )
    return counted == 1


async def presses(tx: Tx, policy_id: int) -> Mapping[Verb, int]:
    """How many people pressed each button."""
    rows = await tx.all(
        "SELECT verb, COUNT(*) AS n FROM policy_presses WHERE policy_id = :policy GROUP BY verb", {"policy": policy_id}
    )
    return {Verb(row["verb"]): row["n"] for row in rows}


async def to_remind(tx: Tx, today: date) -> Sequence[tuple[Policy, int, datetime]]:
    """Who wants to apply, has not been reminded and still can: policy, person, when he pressed."""
    rows = await tx.all(
        f"""SELECT p.*, w.person_id, w.pressed_at FROM policy_presses w JOIN policies p ON p.id = w.policy_id
            WHERE w.verb = 'want' AND w.reminded_at IS NULL AND {_OUT} AND p.closes_on >= :today
            ORDER BY p.closes_on, p.id, w.person_id""",
        {"today": today.isoformat()},
    )
    return [(_policy(row), row["person_id"], from_ms(row["pressed_at"])) for row in rows]


async def remind(tx: Tx, policy_id: int, person_id: int, at: datetime) -> bool:
    """Take the only turn of reminding somebody before the window closes."""
    taken = await tx.run(
        """UPDATE policy_presses SET reminded_at = :at
           WHERE policy_id = :policy AND person_id = :person AND verb = 'want' AND reminded_at IS NULL""",
        {"policy": policy_id, "person": person_id, "at": to_ms(at)},
    )
    return taken == 1
