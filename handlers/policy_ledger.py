"""政策台账 for `lianqi export policies`: every notice that was released, whom it reached and what was pressed."""

from domain.policy import Policy
from domain.roster import Table
from domain.rules import Rules
from domain.said import Said
from domain.verbs import Verb
from reports.roster import write_tables
from storage import policies, policy_posts
from storage.database import Tx
from texts import Catalogue, render

COLUMNS = ("title", "doc_no", "audience", "post_at", "closes_on", "url", "posts")
_PRESSED = (Verb.KNOWN, Verb.UNCLEAR, Verb.OUT_OF_REACH, Verb.WANT)
_MOST = 100_000


async def build(tx: Tx, rules: Rules, catalogue: Catalogue) -> bytes:
    """The workbook (xlsx), newest notice first; all words in the park's language."""

    def say(said: Said) -> str:
        return render(catalogue, said, rules.language, rules.calendar.zone)

    heads = [say(Said(f"policy.column.{column}")) for column in COLUMNS]
    heads += [catalogue.label(verb, rules.language) for verb in _PRESSED]
    rows = [(1, tuple(heads))]
    for number, policy in enumerate(await policies.newest(tx, _MOST), 2):
        rows.append((number, await _row(tx, rules, policy)))
    return write_tables([Table(say(Said("policy.sheet")), tuple(rows))])


async def _row(tx: Tx, rules: Rules, policy: Policy) -> tuple[str, ...]:
    content = policy.content
    posted = rules.calendar.local(policy.post_at).strftime("%Y-%m-%d %H:%M")
    closes = content.closes_on.isoformat() if content.closes_on else ""
    posts = str(len(await policy_posts.posts(tx, policy.id)))
    pressed = await policies.presses(tx, policy.id)
    counts = tuple(str(pressed.get(verb, 0)) for verb in _PRESSED)
    audience = content.audience.shown or ""
    return (content.title, content.doc_no, audience, posted, closes, content.url, posts, *counts)
