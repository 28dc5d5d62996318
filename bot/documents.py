"""Documents that are owed: kept files fetched by hash, reports built from facts at the moment they leave."""

from collections.abc import Mapping
from typing import Any

from bot.channel import Document, Undeliverable
from domain.rules import Rules
from handlers import ledger, papers
from reports.paper import slip_link
from storage import calendars, files, slips
from storage.database import Database, Tx
from texts import Catalogue

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Documents:
    """Builds what a message carries."""

    def __init__(self, database: Database, rules: Rules, catalogue: Catalogue) -> None:
        self._database = database
        self._rules = rules
        self._catalogue = catalogue

    async def build(self, owed: Mapping[str, Any]) -> Document:
        """The document that a row describes; Undeliverable for a file that is not kept any more."""
        if "hash" in owed:
            return await self._kept(owed)
        paper = owed["document"] in papers.KINDS
        if paper:
            owed = await self._linked(owed)
        name, content = await self._database.reading(lambda tx: self._written(tx, owed))
        return Document(name, DOCX if paper else XLSX, content)

    async def _written(self, tx: Tx, owed: Mapping[str, Any]) -> tuple[str, bytes]:
        write = papers.attachment if owed["document"] in papers.KINDS else ledger.attachment
        return await write(tx, await calendars.in_force(tx, self._rules), self._catalogue, owed)

    async def _linked(self, owed: Mapping[str, Any]) -> Mapping[str, Any]:
        """A forwarding slip gets its link only now, so that its code stands on the paper and nowhere else."""
        slip = owed["facts"].get("slip")
        if slip is None or not self._rules.public_url:
            return owed
        code = await self._database.transaction(lambda tx: slips.add_code(tx, slip))
        return {**owed, "facts": {**owed["facts"], "link": slip_link(self._rules.public_url, code)}}

    async def _kept(self, owed: Mapping[str, Any]) -> Document:
        row = await self._database.reading(lambda tx: files.fetch(tx, owed["hash"]))
        if row is None:
            raise Undeliverable("the file is not kept any more")
        return Document(owed["name"], row["media_type"], bytes(row["content"]))
