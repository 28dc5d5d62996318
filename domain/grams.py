"""Search by pairs of neighbouring characters: no dictionary, and a paraphrase still finds its text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping

_RUNS = re.compile(r"[^\W_]+")

Hits = Iterable[tuple[int, str, int]]


def grams(text: str) -> frozenset[str]:
    """All pairs of neighbouring letters, digits and characters; a lone character stands for itself."""
    runs = _RUNS.findall(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(run[at : at + 2] for run in runs for at in range(max(len(run) - 1, 1)))


def weights(parts: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """What each pair counts for a text of several parts with a weight each: the weight of its weightiest part."""
    found: dict[str, int] = {}
    for text, weight in parts:
        for gram in grams(text):
            found[gram] = max(weight, found.get(gram, 0))
    return found


def rarest(frequencies: Mapping[str, int], most: int) -> tuple[str, ...]:
    """The pairs that few texts hold, which say most; `frequencies` is how many texts hold each."""
    return tuple(sorted(frequencies, key=lambda gram: (frequencies[gram], gram))[:most])


def ranked(hits: Hits, frequencies: Mapping[str, int], texts: int, least: float = 0.3) -> tuple[int, ...]:
    """Text ids, the best first, of (id, pair, weight): rare pairs count more; later ids go first in a draw.

    What scores less than `least` of the best is left out.
    """
    scores: dict[int, float] = {}
    for text_id, gram, weight in hits:
        scores[text_id] = scores.get(text_id, 0.0) + weight * math.log(1 + texts / frequencies[gram])
    best = max(scores.values(), default=0.0)
    kept = [text_id for text_id, score in scores.items() if score >= best * least]
    return tuple(sorted(kept, key=lambda text_id: (-scores[text_id], -text_id)))
