"""The unified social credit code of a firm (GB 32100-2015): 18 characters, the last of which checks the others."""

from __future__ import annotations

import unicodedata

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Digits and letters of the standard; I, O, S, V and Z are not used because they read like digits."""

LENGTH = 18
_WEIGHTS = tuple(pow(3, place, 31) for place in range(LENGTH - 1))


def normalise(code: str) -> str:
    """The code as it is kept: half-width capitals without spaces and dashes."""
    return "".join(unicodedata.normalize("NFKC", code).upper().replace("-", "").split())


def check_character(body: str) -> str:
    """The last character for the first 17; ValueError where a character is not of the alphabet."""
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def fault(code: str) -> str | None:
    """What is wrong with a normalised code: `length`, `alphabet`, `check`, or None where it is valid."""
    if len(code) != LENGTH:
        return "length"
    if any(char not in ALPHABET for char in code):
        return "alphabet"
    return None if check_character(code[:-1]) == code[-1] else "check"
