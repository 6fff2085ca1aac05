"""The letters, numbers and identifiers of Rust's v0 symbol names, with limits against hostile ones."""

from collections.abc import Callable
from typing import NoReturn

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST_STEPS = 10_000
_MOST_LENGTH = 100_000


class NotV0Error(ValueError):
    """The symbol does not follow the grammar; the caller shows it raw."""


class V0Reader:
    """A position in a symbol after its ``_R``; back references are offsets into the same text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._steps = 0
        self._length = 0

    def fail(self) -> NoReturn:
        """Give the symbol up."""
        raise NotV0Error(self.text)

    def peek(self) -> str:
        """The letter at the position, empty at the end."""
        return self.text[self.position : self.position + 1]

    def take(self) -> str:
        """The next letter."""
        letter = self.peek()
        self._steps += 1
        if not letter or self._steps > _MOST_STEPS:
            self.fail()
        self.position += 1
        return letter

    def accept(self, letter: str) -> bool:
        """Take ``letter`` if it is next."""
        found = self.peek() == letter
        self.position += found
        return found

    def base62(self) -> int:
        """A base-62 number: ``_`` is 0, ``0_`` is 1."""
        value = 0
        if self.accept("_"):
            return 0
        while (letter := self.take()) != "_":
            digit = _DIGITS.find(letter)
            if digit < 0:
                self.fail()
            value = value * 62 + digit
        return value + 1

    def tagged_base62(self, tag: str) -> int:
        """0 without ``tag`` before it, else the number plus 1."""
        return self.base62() + 1 if self.accept(tag) else 0

    def decimal(self) -> int:
        """A decimal number; one that starts with 0 is 0."""
        letter = self.take()
        if not letter.isdigit():
            self.fail()
        digits = letter
        while letter != "0" and self.peek().isdigit() and len(digits) < 9:
            digits += self.take()
        return int(digits)

    def identifier(self) -> str:
        """An identifier without disambiguator, punycode undone."""
        encoded = self.accept("u")
        length = self.decimal()
        self.accept("_")
        raw = self.text[self.position : self.position + length]
        if len(raw) != length:
            self.fail()
        self.position += length
        return self._from_punycode(raw) if encoded else raw

    def _from_punycode(self, raw: str) -> str:
        plain, separator, encoded = raw.rpartition("_")
        try:
            return (plain + ("-" if separator else "") + encoded).encode().decode("punycode")
        except (UnicodeError, ValueError, OverflowError):
            self.fail()

    def back_reference(self, read: Callable[[], str]) -> str:
        """What ``read`` finds at the earlier place that the number names."""
        here = self.position - 1
        target = self.base62()
        if target >= here:
            self.fail()
        after, self.position = self.position, target
        found = read()
        self.position = after
        self._length += len(found)
        if self._length > _MOST_LENGTH:
            self.fail()
        return found
