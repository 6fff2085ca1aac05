"""Numbers as people write them."""

import pytest

from tracedbg.numerals import parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("0123", 123), ("1,234,567", 1234567), ("1_000", 1000), ("0x80200000", 0x80200000)],
)
def test_a_number_is_decimal_unless_it_has_0x(text: str, value: int) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "-1", "0X10", "1__0", "1,", "0x", "²", "1 2", "x" * 5000])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        parse_number(text)


def test_thousands_of_digits_are_a_very_large_number() -> None:
    assert parse_number("0" * 5000 + "7") == 7
    assert parse_number("9" * 5000) > 1 << 64
    assert parse_number("0x" + "f" * 5000) > 1 << 64
