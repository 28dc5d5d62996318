"""What `请假 3天 李强` says: the last day of the leave, and who stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import Refused

MOST_DAYS = 180
_END = re.compile(r"(?:结束|回来|销假|完|end|back|over)$", re.IGNORECASE)
_DAYS = re.compile(r"(\d{1,3})\s*(?:天|日|个?工作日|days?|d)?(?=$|[\s,，、])", re.IGNORECASE | re.ASCII)
_DATE = re.compile(
    r"(?:[至到]|until\s+)?(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})[日号]?(?=$|[\s,，、])", re.IGNORECASE
)
_FILLER = re.compile(r"^[\s,，、]*(?:由|代班|备岗|deputy)?[\s:：]*|[\s,，、]*(?:代班|顶岗|替班)?[\s.。]*$")


@dataclass(frozen=True, slots=True)
class Leave:
    """`last_day` is None where the leave ends now; `deputy` is a name or empty."""

    last_day: date | None
    deputy: str = ""


def read_leave(text: str, today: date) -> Leave:
    """Days count from today on, today included: `1` ends tonight. A date without a year is the next such day.

    Refused where neither can be read, the day is over, or it is more than 180 days away.
    """
    line = text.strip()
    if _END.match(line):
        return Leave(None)
    found = _DATE.match(line) or _DAYS.match(line)
    if found is None:
        raise Refused("joining.leave_unclear")
    last_day = _last_day(found, today)
    if not timedelta(0) <= last_day - today < timedelta(days=MOST_DAYS):
        raise Refused("joining.leave_range", {"most": MOST_DAYS})
    return Leave(last_day, _FILLER.sub("", line[found.end() :]).strip())


def _last_day(found: re.Match[str], today: date) -> date:
    if found.re is _DAYS:
        return today + timedelta(days=max(int(found[1]), 1) - 1)
    year, month, day = int(found[1] or today.year), int(found[2]), int(found[3])
    try:
        meant = date(year, month, day)
        return meant if found[1] or meant >= today else date(year + 1, month, day)
    except ValueError:
        raise Refused("joining.leave_unclear") from None
