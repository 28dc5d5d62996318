"""On which database a test runs: the fixture `backend` chooses, `open_house` opens a house of that kind."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from tests import needs
from tests.pgserver import CARELESS, Server, new_folder

if TYPE_CHECKING:  # the tests' own plumbing is tested without the product
    from storage.database import Database, Tx

SQLITE, POSTGRES = "sqlite", "postgres"
BOTH: Sequence[str] = (SQLITE, POSTGRES)
IN_MEMORY = "sqlite:///:memory:"
RUN = "LIANQI_TEST_RUN"
"""Where the run keeps its server: a folder that all workers are told of."""
TEMPLATE = "lianqi_template"
MOST_USES = 50

_number = itertools.count(1)


class Backend:
    """One test's choice of database; what it makes on a server is dropped behind it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._made: dict[str, str] = {}

    def url(self, wanted: str = IN_MEMORY, *, empty: bool = False) -> str:
        """The URL to open in place of this SQLite one; a file's name gives the same database again.

        What is `empty` has no schema yet.
        """
        if self.name == SQLITE:
            return wanted
        if wanted == IN_MEMORY or wanted not in self._made:
            made = _create() if empty else _borrow()
            self._made[wanted if wanted != IN_MEMORY else made] = made
            return made
        return self._made[wanted]

    def close(self) -> None:
        """Give back or drop what was made."""
        for url in self._made.values():
            _give_back(url)
        self._made.clear()


_chosen = Backend(SQLITE)


@contextmanager
def chosen(name: str) -> Iterator[Backend]:
    """Let `open_house` open houses of that kind."""
    global _chosen  # noqa: PLW0603 - a test runs alone in its process
    before, _chosen = _chosen, Backend(name)
    try:
        yield _chosen
    finally:
        _chosen.close()
        _chosen = before


def current() -> Backend:
    """The choice of the test that runs."""
    return _chosen


async def open_house(url: str = IN_MEMORY, *, connections: int = 1, **more: Any) -> Database:
    """`open_database`, on the backend that the test runs on.

    With one connection things happen in one order on every backend; what happens side by side has tests of its own.
    """
    from storage.open import open_database

    return await open_database(_chosen.url(url, empty="schema" in more), connections=connections, **more)


async def open_bare(url: str = IN_MEMORY, *, connections: int = 1) -> Database:
    """The same without a schema."""
    from storage.open import BACKENDS

    url = _chosen.url(url, empty=True)
    return await BACKENDS[url.partition("://")[0]](url, connections)


async def table_names(tx: Tx) -> list[str]:
    """All tables of the house."""
    everywhere = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        "postgres": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
    }
    return [row["name"] for row in await tx.all(everywhere[tx.engine])]


_begun: Path | None = None


# The server of the run ------------------------------------------------------------------------------------------------
def begin_run() -> None:
    """Name the run's folder, before any worker starts."""
    _bury_the_dead()
    global _begun  # noqa: PLW0603 - a process runs the tests once
    _begun = new_folder()
    os.environ[RUN] = str(_begun)


def end_run() -> None:
    """Stop the server, if one was started, and forget it; that of a run around this one is left alone."""
    if _begun is not None:
        _clear(_begun)


def tidy() -> None:
    """Leave nothing behind on a server that goes on."""
    given = os.environ.get("LIANQI_TEST_PG")
    if not given:
        return
    for url in _free:
        _drop(url)
    if _begun is not None and (_begun / "ready").exists():
        _administer(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", given)


def _clear(folder: Path) -> None:
    if (folder / "data").exists():
        server = Server(folder)
        if server.is_there():
            server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _bury_the_dead() -> None:
    """Stop the servers of runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob("lianqi-run-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and folder.stat().st_uid == os.geteuid() and not Path(f"/proc/{owner}").exists():
            _clear(folder)


def server_url() -> str:
    """The URL of the server's own database: LIANQI_TEST_PG's, else that of this run's server, started when needed."""
    needs.need("pg")
    given = os.environ.get("LIANQI_TEST_PG")
    folder = Path(os.environ[RUN])
    server = None if given else Server(folder, settings=CARELESS)
    url = given or (server.dsn("postgres") if server else "")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            if server is not None:
                server.make()
            _make_template(url)
            (folder / "ready").touch()
    return url


def _make_template(url: str) -> None:
    """A database at the present schema, from which each test's is copied."""

    from storage.open import open_database

    async def make() -> None:
        await (await open_database(_at(url, TEMPLATE))).close()

    _administer(f"DROP DATABASE IF EXISTS {TEMPLATE}", url)
    _administer(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", url)
    with ThreadPoolExecutor(1) as aside:  # the test may have a loop of its own by now
        aside.submit(asyncio.run, make()).result()
    _administer(PRISTINE, _at(url, TEMPLATE))
    _connections.pop(_at(url, TEMPLATE)).close()


def _create(template: str = "template0") -> str:
    url = server_url()
    name = f"lianqi_t{os.getpid()}_{next(_number)}"
    _administer(f"CREATE DATABASE {name} TEMPLATE {template}", url)
    return _at(url, name)


# To copy a database takes a third of a second, to empty one a few milliseconds.
_free: list[str] = []
_uses: dict[str, int] = {}


def _borrow() -> str:
    url = _free.pop() if _free else _create(TEMPLATE)
    _uses[url] = _uses.get(url, 0) + 1
    return url


def _give_back(url: str) -> None:
    """Empty it for the next test; drop one whose schema was changed, or in which too much is deleted already."""
    if 0 < _uses.get(url, 0) < MOST_USES and _reset(url):
        _free.append(url)
    else:
        _drop(url)


def _drop(url: str) -> None:
    if url in _connections:
        _connections.pop(url).close()
    _administer(f"DROP DATABASE {_name(url)} WITH (FORCE)")


def _reset(url: str) -> bool:
    import psycopg

    _administer(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        url,
    )
    try:
        return bool(_administer("SELECT pristine.reset()", url).fetchone()[0])
    except psycopg.errors.InsufficientPrivilege:  # a server of somebody else's: a new database each time
        return False


PRISTINE = """
CREATE SCHEMA pristine;
CREATE TABLE pristine.shape (shape TEXT);
CREATE FUNCTION pristine.shape_now() RETURNS TEXT LANGUAGE sql AS
$$ SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
       SELECT attrelid::regclass || '.' || attname || ' ' || atttypid || attnotnull AS line
       FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
       UNION ALL SELECT tgrelid::regclass || tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
       UNION ALL SELECT conrelid::regclass || ' ' || conname FROM pg_constraint
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS lines $$;
INSERT INTO pristine.shape SELECT pristine.shape_now();
CREATE TABLE pristine.counters AS TABLE public.counters;
CREATE TABLE pristine.calendar_counted AS TABLE public.calendar_counted;
CREATE FUNCTION pristine.reset() RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE name TEXT;
BEGIN
    IF (SELECT shape FROM pristine.shape) <> pristine.shape_now() THEN
        RETURN FALSE;
    END IF;
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables
                WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'roster_revisions') LOOP
        EXECUTE format('DELETE FROM public.%I', name);
    END LOOP;
    INSERT INTO public.counters SELECT * FROM pristine.counters;
    INSERT INTO public.calendar_counted SELECT * FROM pristine.calendar_counted;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        PERFORM setval(format('public.%I', name), 1, false);
    END LOOP;
    RETURN TRUE;
END $$;
"""


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


_connections: dict[str, Any] = {}


def _administer(sql: str, url: str | None = None) -> Any:
    import psycopg

    url = url or server_url()
    if url not in _connections or _connections[url].closed:
        _connections[url] = psycopg.connect(url, autocommit=True)
    return _connections[url].execute(sql)
