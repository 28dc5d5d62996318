"""What `请假 3天 李强` says: from which day, to which day, and who stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from domain.days import read_days
from domain.errors import Refused

MOST_DAYS = 180
_END = re.compile(r"(?:结束|回来|销假|取消|完|end|back|over)$", re.IGNORECASE)
_FILLER = re.compile(r"^[\s,，、]*(?:由|代班|备岗|deputy)?[\s:：]*|[\s,，、]*(?:代班|顶岗|替班)?[\s.。]*$")


@dataclass(frozen=True, slots=True)
class Leave:
    """`last_day` is None where the leave ends now; `deputy` is a name or empty. `first_day` None: from now on."""

    last_day: date | None
    deputy: str = ""
    first_day: date | None = None


def read_leave(text: str, today: date) -> Leave:
    """Days count from today on, today included: `1` ends tonight. A single date is the last day, two are both ends.

    Refused where neither can be read, the leave begins before today, or is longer or further away than 180 days.
    """
    line = text.strip()
    if _END.match(line):
        return Leave(None)
    days = read_days(line, today)
    if days is None:
        raise Refused("duty.leave_unclear")
    first = today if days.first is None or days.named else days.first
    most = timedelta(days=MOST_DAYS)
    if not (today <= first <= days.last and days.last - first < most and first - today < most):
        raise Refused("duty.leave_range", {"most": MOST_DAYS})
    return Leave(days.last, _FILLER.sub("", days.rest).strip(), first if first > today else None)
