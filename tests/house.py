"""The rules of the house, each as a function that names its offenders; tests/test_house.py holds them."""

import ast
import io
import os
import re
import statistics
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FLOORS = ("bot", "console", "handlers", "storage", "reports", "texts", "domain")
SEALED_DOOR = "storage/appeals.py"
DATABASE_CLOCK = "storage/leases.py"
MIGRATIONS = "storage/schema/"

WRITES_APPEALS = re.compile(
    r"\b(INSERT\s+(OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE(\s+OR\s+\w+)?|DELETE\s+FROM)\s+\"?appeals\b",
    re.IGNORECASE,
)
READS_CLOCK = re.compile(
    r"\b(now|getdate|sysdate|unixepoch|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)"
    r"|\b(date|time|datetime|julianday|unixepoch|strftime)\s*\([^()]*'now'"
    r"|\b(CURRENT_TIMESTAMP|CURRENT_DATE|CURRENT_TIME|LOCALTIMESTAMP)\b",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|farm|root|home|Users|opt/wheels|opt/pypi)/\w")
REGISTRY = re.compile(
    r"\b(?:pypi|npmjs|yarnpkg)\.(?:org|com)\b|\bpythonhosted\.org|\bdeb\.debian\.org|\bfind-links\b[ =]\S*/"
)
IGNORE = re.compile(
    r"#\s*(?:ruff:\s*|flake8:\s*)?(?:noqa(?::\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^\]]*\])?)(?P<reason>.*)",
    re.IGNORECASE,
)
LONGEST_NAP = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Function:
    """A function, where it stands, and its length in lines from `def` to the last."""

    place: str
    name: str
    lines: int

    def __str__(self) -> str:
        """One line for the list of offenders."""
        return f"{self.place} {self.name} ({self.lines} lines)"


def kept_files(root: Path) -> list[str]:
    """Paths of the project's files: what git keeps or would keep, else all but hidden folders."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = os.fsdecode(listed.stdout).split("\0")
    else:
        found = (path.relative_to(root) for path in root.rglob("*"))
        hidden = (".venv", ".git", "__")
        names = [str(path) for path in found if not any(part.startswith(hidden) for part in path.parts)]
    return sorted(name for name in set(names) if name and (root / name).is_file())


def sources(root: Path, folders: Iterable[str] = FLOORS, ending: str = ".py") -> Iterator[tuple[str, str]]:
    """Path from the root, and text, of each source file in the folders."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*" + ending)):
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def functions(root: Path) -> list[Function]:
    """All functions of the project's packages."""
    return [
        Function(f"{place}:{node.lineno}", node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for place, text in sources(root)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def long_functions(root: Path, *, median: int = 12, most: int = 40, longest: int = 50) -> list[str]:
    """Who breaks a size rule: functions over `longest`; the longest ones where the median or 9 in 10 fail."""
    sizes = sorted(functions(root), key=lambda function: -function.lines)
    over = [str(function) for function in sizes if function.lines > longest]
    if not sizes:
        return over
    if sum(function.lines >= most for function in sizes) * 10 > len(sizes):
        large = [function for function in sizes if function.lines >= most]
        over += [f"over 1 in 10 has {most} lines or more: {function}" for function in large]
    middle = statistics.median(function.lines for function in sizes)
    if middle >= median:
        quarter = sizes[: len(sizes) // 4 + 1]
        over += [f"the median is {middle}, not under {median}: {function}" for function in quarter]
    return over


def long_files(root: Path, *, most: int = 400) -> list[str]:
    """Files of the packages with more than `most` lines."""
    sized = ((place, text.count("\n")) for place, text in sources(root))
    return [f"{place} ({lines} lines)" for place, lines in sized if lines > most]


def docstrings(tree: ast.AST) -> set[int]:
    """The identities of the constants that are docstrings."""
    holders = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, holders) and node.body)
    return {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}


def strings(text: str) -> Iterator[tuple[int, str]]:
    """Line and value of each string in Python code, docstrings left out."""
    tree = ast.parse(text)
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def statements(root: Path) -> Iterator[tuple[str, int, str]]:
    """Place, line and text of all that may be SQL: strings in code, and SQL files without their comments."""
    for place, text in sources(root):
        yield from ((place, line, value) for line, value in strings(text))
    for place, text in sources(root, ending=".sql"):
        yield place, 1, re.sub(r"--[^\n]*", "", text)


def matches(pattern: re.Pattern[str], text: str, line: int) -> Iterator[tuple[int, str]]:
    """Line and wording of each match in a text that starts on `line`."""
    for found in pattern.finditer(text):
        yield line + text.count("\n", 0, found.start()), " ".join(found.group().split())


def side_doors(root: Path) -> list[str]:
    """SQL outside the one door that writes the table of appeals; migrations may, they run before all else."""
    return [
        f"{place}:{at} {wording}"
        for place, line, text in statements(root)
        if place != SEALED_DOOR and not place.startswith(MIGRATIONS)
        for at, wording in matches(WRITES_APPEALS, text, line)
    ]


def database_clocks(root: Path) -> list[str]:
    """SQL that asks the database for the time, outside the leases."""
    return [
        f"{place}:{at} {wording}"
        for place, line, text in statements(root)
        if place != DATABASE_CLOCK
        for at, wording in matches(READS_CLOCK, text, line)
    ]


def is_long_nap(node: ast.AST) -> bool:
    """Whether this is a call of some `sleep` with a written-out number over LONGEST_NAP seconds."""
    if not (isinstance(node, ast.Call) and node.args):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    length = node.args[0]
    number = length.value if isinstance(length, ast.Constant) else None
    return name == "sleep" and isinstance(number, int | float) and number > LONGEST_NAP


def long_naps(root: Path) -> list[str]:
    """Tests that wait for real time to pass."""
    return [
        f"{place}:{node.lineno}"
        for place, text in sources(root, ["tests"])
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and is_long_nap(node)
    ]


def places_of_a_machine(root: Path) -> list[str]:
    """Kept text files that name a folder of somebody's machine, or the host of a package registry."""
    offenders = []
    for name in kept_files(root):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for pattern in (MACHINE_PATH, REGISTRY):
            offenders += [f"{name}:{at} {wording}" for at, wording in matches(pattern, text, 1)]
    return offenders


def bare_ignores(root: Path) -> list[str]:
    """Lint or type checks that are switched off without a reason in the same comment."""
    offenders = []
    for name in kept_files(root):
        if not name.endswith(".py"):
            continue
        for token in tokenize.tokenize(io.BytesIO((root / name).read_bytes()).readline):
            found = IGNORE.search(token.string) if token.type == tokenize.COMMENT else None
            if found and not re.search(r"\w{2,}\W+\w{2,}", found["reason"]):
                offenders.append(f"{name}:{token.start[0]} {token.string}")
    return offenders


def imported(text: str) -> Iterator[tuple[int, str]]:
    """Line and top-level package of each absolute import."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, (node.module or "").partition(".")[0]


def impurities(root: Path) -> list[str]:
    """What the domain imports besides itself and the standard library, and each `await` in it."""
    allowed = sys.stdlib_module_names | {"domain"}
    waits = ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith
    offenders = []
    for place, text in sources(root, ["domain"]):
        foreign = ((line, name) for line, name in imported(text) if name not in allowed)
        offenders += [f"{place}:{line} imports {name}" for line, name in foreign]
        found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, waits))
        offenders += [f"{place}:{node.lineno} waits" for node in found]
    return offenders


def pins(lock: Path) -> dict[str, str]:
    """Name and exact version of each package in a lock file."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def wanted(listing: Path) -> set[str]:
    """The names in a list of requirements, as lock files spell them."""
    names = re.findall(r"^[A-Za-z][\w.-]*", listing.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower().replace("_", "-") for name in names}
