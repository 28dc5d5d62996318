"""The common SQL in PostgreSQL's own dress: `:name` becomes `$1`, and nothing inside a literal is touched."""

import re
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(
    r"""
      (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'         # E'it\'s'
    | '(?:[^']|'')*'                          # 'it''s'
    | "(?:[^"]|"")*"                          # "a name"
    | --[^\n]*
    | /\*.*?\*/
    | (?<!\w)\$(?P<tag>\w*)\$.*?\$(?P=tag)\$  # $$ a function's body $$
    | ::                                      # a cast
    | (?<!\w):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


@lru_cache(maxsize=2048)
def numbered(sql: str) -> tuple[bytes, Sequence[str]]:
    """The text with a number at each place of a parameter, and the names in that order.

    A name that stands twice gets two numbers, as PostgreSQL gives a parameter one type for all its places.
    """
    names: list[str] = []

    def place(token: re.Match[str]) -> str:
        name = token["name"]
        if name is None:
            return token[0]
        names.append(name)
        return f"${len(names)}"

    return _TOKEN.sub(place, sql).encode(), tuple(names)
