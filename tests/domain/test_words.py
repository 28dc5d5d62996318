"""Telephone numbers in what people write are not for everybody who reads it."""

import pytest

from domain.words import without_phones


@pytest.mark.parametrize(
    "written,shown",
    [
        ("车间停电 13912345678", "车间停电 139****78"),
        ("139-1234-5678张总", "139****78张总"),
        ("139 1234 5678", "139****78"),
        ("１３９１２３４５６７８", "１３９****７８"),
        ("座机0871-61234567", "座机087****67"),
        ("停电3次，2026年3月", "停电3次，2026年3月"),
        ("户号 2139123456789", "户号 2139123456789"),
        ("", ""),
    ],
)
def test_a_telephone_number_is_made_unreadable_and_nothing_else(written: str, shown: str) -> None:
    assert without_phones(written) == shown
