"""What the trials of faults share: how they write down how often they really tried."""

from tests.summary import Tally

__all__ = ["Tally"]
