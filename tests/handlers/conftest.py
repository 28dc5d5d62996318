"""A town for every test of this floor that talks through the whole program."""

from collections.abc import AsyncIterator

import pytest

from tests.stories.town import Town


@pytest.fixture
async def park() -> AsyncIterator[Town]:
    """A small park on a working morning, its digest read."""
    opened = await Town.open()
    await opened.settle()
    yield opened
    await opened.close()
