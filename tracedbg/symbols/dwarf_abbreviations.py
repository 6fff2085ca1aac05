"""The abbreviation tables of .debug_abbrev (DWARF 5, 7.5.3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tracedbg.symbols.dwarf_tags import Form
from tracedbg.symbols.reader import Cursor, SectionData


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """The shape of an entry: (attribute, form, implicit constant) for each attribute, in order."""

    code: int
    tag: int
    has_children: bool
    attributes: tuple[tuple[int, int, int], ...]


class AbbreviationTable:
    """The abbreviations of one table by their code."""

    def __init__(self, section: SectionData, offset: int) -> None:
        self._section = section
        self._offset = offset
        self.by_code = {abbreviation.code: abbreviation for abbreviation in _read(section, offset)}

    def find(self, code: int) -> Abbreviation:
        """The abbreviation of that code; SymbolError without one."""
        abbreviation = self.by_code.get(code)
        if abbreviation is None:
            self._section.fail(self._offset, f"no abbreviation {code} in the table")
        return abbreviation


def find_abbreviation(section: SectionData, offset: int, code: int) -> Abbreviation:
    """One abbreviation, without reading the rest of its table: a unit's root usually has the first."""
    for abbreviation in _read(section, offset):
        if abbreviation.code == code:
            return abbreviation
    section.fail(offset, f"no abbreviation {code} in the table")


def _read(section: SectionData, offset: int) -> Iterator[Abbreviation]:
    cursor = Cursor(section, offset)
    while code := cursor.uleb():
        tag, has_children = cursor.uleb(), cursor.unsigned(1) != 0
        attributes = []
        while True:
            name, form = cursor.uleb(), cursor.uleb()
            constant = cursor.sleb() if form == Form.IMPLICIT_CONST else 0
            if name == 0 and form == 0:
                break
            attributes.append((name, form, constant))
        yield Abbreviation(code, tag, has_children, tuple(attributes))


@lru_cache
def fixed_sizes(offset_size: int, address_size: int, version: int) -> dict[int, int]:
    """The forms whose size the unit's header fixes, and that size in bytes."""
    one = {Form.DATA1, Form.FLAG, Form.REF1, Form.STRX1, Form.ADDRX1}
    two = {Form.DATA2, Form.REF2, Form.STRX2, Form.ADDRX2}
    three = {Form.STRX3, Form.ADDRX3}
    four = {Form.DATA4, Form.REF4, Form.STRX4, Form.ADDRX4, Form.REF_SUP4}
    eight = {Form.DATA8, Form.REF8, Form.REF_SIG8, Form.REF_SUP8}
    offsets = {Form.STRP, Form.LINE_STRP, Form.STRP_SUP, Form.SEC_OFFSET, Form.GNU_REF_ALT, Form.GNU_STRP_ALT}
    sizes: dict[int, int] = {}
    for size, forms in ((1, one), (2, two), (3, three), (4, four), (8, eight)):
        sizes |= dict.fromkeys(forms, size)
    sizes |= dict.fromkeys(offsets, offset_size)
    reference = address_size if version == 2 else offset_size
    return {
        **sizes, Form.ADDR: address_size, Form.REF_ADDR: reference, Form.DATA16: 16,
        Form.FLAG_PRESENT: 0, Form.IMPLICIT_CONST: 0,
    }  # fmt: skip
