"""Numbers as people and reports write them: ``12345``, ``1,234,567``, ``1_000``, ``0x80200000``."""

import re

DECIMAL = "[0-9]+(?:[_,][0-9]+)*"
NUMBER = f"0x[0-9a-fA-F]+|{DECIMAL}"

_LONGEST = 40
"""Python refuses to read thousands of digits; what is longer than this is beyond all that is asked for."""


def parse_number(text: str) -> int:
    """Return the value of a text that ``NUMBER`` matches, decimal unless it has 0x; ValueError for another.

    Of more than 40 digits the last ones are left out.
    """
    if re.fullmatch(NUMBER, text) is None:
        raise ValueError(f"{text[:_LONGEST]}: no number")
    if text.startswith("0x"):
        return int(text, 16)
    return int(re.sub("[_,]", "", text).lstrip("0")[:_LONGEST] or "0")
