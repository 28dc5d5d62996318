"""What happens when the program starts."""

import asyncio
from collections.abc import Sequence

from bot.app import Park
from bot.program import Plan, _run
from storage import accounts, chats
from storage.database import Database, Row, Tx
from storage.open import open_database
from tests.bot.posthouse import CATALOGUE, RULES


async def start(database: Database) -> None:
    """Run with the web page alone until it answers, then stop."""
    answers = asyncio.Event()
    plan = Plan(Park(RULES, CATALOGUE), "sqlite:///:memory:", "127.0.0.1", 0)
    running = asyncio.create_task(_run(plan, database, lambda _: answers.set()))
    async with asyncio.timeout(10):
        await answers.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_platforms_that_are_switched_off_reach_nobody_from_then_on() -> None:
    database = await open_database("sqlite:///:memory:")

    async def as_it_was(tx: Tx) -> None:
        await chats.introduce(tx, "wecom_app", "联企", "")
        account = await accounts.account(tx, "wecom_app", "wang")
        await accounts.open_private_chat(tx, "wecom_app", "wang", account)

    async def chat(tx: Tx) -> Sequence[Row]:
        return await tx.all("SELECT reachable FROM chats WHERE channel = 'wecom_app'")

    await database.transaction(as_it_was)
    assert [row["reachable"] for row in await database.reading(chat)] == [1]
    await start(database)
    assert [row["reachable"] for row in await database.reading(chat)] == [0]
    assert await database.reading(lambda tx: tx.all("SELECT channel FROM bots")) == []
    await database.close()
