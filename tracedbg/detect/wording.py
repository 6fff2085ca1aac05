"""How findings put things into words."""

import re

_PROSE = re.compile(r"[a-z]+(?:[ ,.]|$)")


def sentence(text: str) -> str:
    """Return a text as a sentence: a capital at its start, unless that is a name of code, and a full stop.

    >>> sentence("stack 7 ran below its base"), sentence("copy_text+0xc stores over it.")
    ('Stack 7 ran below its base.', 'copy_text+0xc stores over it.')
    """
    if not text:
        return text
    start = text[:1].upper() if _PROSE.match(text) else text[:1]
    return start + text[1:] + ("" if text.endswith(".") else ".")


def bytes_text(count: int) -> str:
    """Return a number of bytes.

    >>> bytes_text(1), bytes_text(4608)
    ('1 byte', '4,608 bytes')
    """
    return "1 byte" if count == 1 else f"{count:,} bytes"
