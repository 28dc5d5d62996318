"""What each emulated method does, gathered by theme."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.emulators.telegram.core import Core, Request

from . import asking, editing, receiving, sending, settings

Method = Callable[[Core, Request], Any]
AsyncMethod = Callable[[Core, Request], Awaitable[Any]]

TABLE: dict[str, Method] = {
    **sending.TABLE,
    **editing.TABLE,
    **asking.TABLE,
    **settings.TABLE,
    **receiving.TABLE,
}
WAITING: Mapping[str, AsyncMethod] = receiving.WAITING
