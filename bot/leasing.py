"""Work that one process alone may do at a time: it goes on while the lease is held, and stops when it is lost."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable

from storage import leases
from storage.database import Database, Tx
from storage.errors import StorageUnavailable
from storage.leases import Lease

_log = logging.getLogger(__name__)

_MARK = f".{secrets.token_hex(4)}"
"""Of this very process: another one before it may have had the same number, as the first of a container always has."""
LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
LOOK_SECONDS = 3.0
"""With these a dead holder is followed within 18 seconds."""
STOP_SECONDS = 3.0
"""So long before the lease may be anybody else's the work stops, if storage does not let it be renewed."""


async def hold(database: Database, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Take the lease, work while it is held, and begin anew whenever it was lost or the work ended; until cancelled."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}{_MARK}"
    waiting = False
    while True:
        begun = _moment()
        lease = await _take(database, name, holder)
        if lease is None:
            if not waiting:
                _log.info("another process holds %s; waiting", name)
            waiting = True
            await asyncio.sleep(LOOK_SECONDS)
            continue
        waiting = False
        try:
            await _work_while_held(database, lease, begun, work)
        except StorageUnavailable as trouble:
            _log.warning("storage cannot work, %s is given back: %s", name, trouble)
            await asyncio.sleep(LOOK_SECONDS)


def _moment() -> float:
    """Seconds of the event loop, which only go forward; a lease runs from no earlier than it was asked for."""
    return asyncio.get_running_loop().time()


async def _take(database: Database, name: str, holder: str) -> Lease | None:
    async def unit(tx: Tx) -> Lease | None:
        lease = await leases.take(tx, name, holder, LEASE_SECONDS)
        before = await leases.holder_of(tx, name)
        if lease is None and _is_dead(before):
            return await leases.seize(tx, name, before, holder, LEASE_SECONDS)
        return lease

    try:
        return await database.transaction(unit)
    except StorageUnavailable as trouble:
        _log.warning("storage cannot work, %s cannot be taken: %s", name, trouble)
        return None


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is no more; of another machine's nobody can tell."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return not holder.endswith(_MARK)
    try:
        os.kill(int(pid), 0)  # asks, and harms nobody
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False


async def _work_while_held(database: Database, lease: Lease, begun: float, work: Callable[[], Awaitable[None]]) -> None:
    """Whichever ends first ends the other: the lease or the work."""
    working = asyncio.ensure_future(work())
    keeping = asyncio.create_task(_keep(database, lease, begun))
    try:
        await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, keeping):
            task.cancel()
        ends = await asyncio.gather(working, keeping, return_exceptions=True)
        await asyncio.shield(_release(database, lease))
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _keep(database: Database, lease: Lease, begun: float) -> None:
    """Renew until that fails; while storage cannot work the lease runs out by itself, and the work ends before."""
    try:
        async with asyncio.timeout_at(begun + LEASE_SECONDS - STOP_SECONDS) as end:
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                begun = _moment()
                renewed = await _renewed(database, lease)
                if renewed:
                    end.reschedule(begun + LEASE_SECONDS - STOP_SECONDS)
                elif renewed is False:
                    _log.warning("lost %s to another process", lease.name)
                    return
    except TimeoutError:
        _log.warning("%s could not be renewed in time", lease.name)


async def _renewed(database: Database, lease: Lease) -> bool | None:
    """Whether more time was given; None where storage cannot say."""
    try:
        async with asyncio.timeout(RENEW_SECONDS):
            return await database.transaction(lambda tx: leases.renew(tx, lease, LEASE_SECONDS)) is not None
    except (StorageUnavailable, TimeoutError) as trouble:
        _log.warning("storage cannot work, %s is not renewed: %s", lease.name, trouble)
        return None


async def _release(database: Database, lease: Lease) -> None:
    try:
        await database.transaction(lambda tx: leases.release(tx, lease))
    except StorageUnavailable as trouble:
        _log.warning("storage cannot work, %s runs out by itself: %s", lease.name, trouble)
