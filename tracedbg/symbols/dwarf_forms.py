"""Attribute values of DWARF entries (DWARF 5, 7.5.5 and 7.5.6)."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from tracedbg.symbols.dwarf_abbreviations import Abbreviation, fixed_sizes
from tracedbg.symbols.dwarf_tags import At, Form
from tracedbg.symbols.image import ElfImage
from tracedbg.symbols.reader import Cursor

_ULEB = {Form.UDATA, Form.REF_UDATA, Form.STRX, Form.ADDRX, Form.LOCLISTX, Form.RNGLISTX}
_ULEB |= {Form.GNU_ADDR_INDEX, Form.GNU_STR_INDEX}
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_BLOCKS = {Form.BLOCK1: 1, Form.BLOCK2: 2, Form.BLOCK4: 4}
_ADDRESS_INDICES = {
    Form.ADDRX, Form.ADDRX1, Form.ADDRX2, Form.ADDRX3, Form.ADDRX4, Form.GNU_ADDR_INDEX,
}  # fmt: skip
_STRING_INDICES = {Form.STRX, Form.STRX1, Form.STRX2, Form.STRX3, Form.STRX4, Form.GNU_STR_INDEX}
_LOCAL_REFERENCES = {Form.REF1, Form.REF2, Form.REF4, Form.REF8, Form.REF_UDATA}


@dataclass(frozen=True, slots=True)
class UnitEncoding:
    """What a unit's header fixes for its values; ``offset`` is the unit's own, references start there."""

    version: int
    offset_size: int
    address_size: int
    offset: int


class Value(NamedTuple):
    """An attribute's form and its number (an offset or index for strings), or the bytes of a block."""

    form: int
    number: int
    block: bytes = b""


class FormReader:
    """Reads and resolves attribute values of one unit."""

    def __init__(self, image: ElfImage, encoding: UnitEncoding, bases: dict[At, Value]) -> None:
        self.image = image
        self.encoding = encoding
        self._bases = bases
        self._layouts: dict[Abbreviation, struct.Struct] = {}
        self.fixed = fixed_sizes(encoding.offset_size, encoding.address_size, encoding.version)

    def entry(self, cursor: Cursor, abbreviation: Abbreviation) -> dict[int, Value]:
        """The attributes of the entry that ``cursor`` stands in, after its code."""
        layout = self._layouts.get(abbreviation)
        if layout is None:
            layout = self._layouts[abbreviation] = self._layout(abbreviation)
        if layout.size:
            start = cursor.offset
            cursor.skip(layout.size)
            numbers = layout.unpack_from(cursor.data, start)
            return {
                name: Value(form, number)
                for (name, form, _), number in zip(abbreviation.attributes, numbers, strict=True)
            }
        return {name: self.value(cursor, form, constant) for name, form, constant in abbreviation.attributes}

    def _layout(self, abbreviation: Abbreviation) -> struct.Struct:
        """All values at once, where each has a fixed size that struct knows; else a layout of no bytes."""
        codes = [_CODES.get(self.fixed.get(form, 0), "") for _, form, _ in abbreviation.attributes]
        return struct.Struct("<" + "".join(codes) if all(codes) else "<")

    def value(self, cursor: Cursor, form: int, constant: int = 0) -> Value:
        """One value; moves ``cursor`` past it."""
        size = self.fixed.get(form)
        if size is not None:
            if size == 0:
                return Value(form, constant if form == Form.IMPLICIT_CONST else 1)
            return Value(form, cursor.unsigned(size))
        if form in _ULEB:
            return Value(form, cursor.uleb())
        if form == Form.SDATA:
            return Value(form, cursor.sleb())
        if form == Form.STRING:
            start = cursor.offset
            cursor.string()
            return Value(form, start, cursor.section.data[start : cursor.offset - 1])
        if form == Form.INDIRECT:
            actual = cursor.uleb()
            if actual in (Form.INDIRECT, Form.IMPLICIT_CONST):
                cursor.section.fail(cursor.offset, "an indirect form within an indirect form")
            return self.value(cursor, actual)
        return self._block(cursor, form)

    def _block(self, cursor: Cursor, form: int) -> Value:
        if form in (Form.BLOCK, Form.EXPRLOC):
            size = cursor.uleb()
        elif form in _BLOCKS:
            size = cursor.unsigned(_BLOCKS[Form(form)])
        else:
            cursor.section.fail(cursor.offset, f"form {form:#x} is not known")
        return Value(form, size, cursor.raw(size))

    def text(self, value: Value | None) -> str:
        """A string attribute's text; empty without one or where it lies in another file."""
        if value is None:
            return ""
        if value.form == Form.STRING:
            return value.block.decode("utf-8", "backslashreplace")
        if value.form == Form.STRP:
            return self.image.section_data(".debug_str").string_at(value.number)
        if value.form == Form.LINE_STRP:
            return self.image.section_data(".debug_line_str").string_at(value.number)
        if value.form in _STRING_INDICES:
            return self._indexed_text(value.number)
        return ""

    def _indexed_text(self, index: int) -> str:
        size = self.encoding.offset_size
        # Without an explicit base the table begins after the section's header (DWARF 5, 7.26).
        base = self._bases.get(At.STR_OFFSETS_BASE, Value(0, 2 * size if self.encoding.version >= 5 else 0))
        cursor = Cursor(self.image.section_data(".debug_str_offsets"), base.number + index * size)
        return self.image.section_data(".debug_str").string_at(cursor.unsigned(size))

    def address(self, value: Value) -> int:
        """An address attribute, through .debug_addr where it is an index."""
        return self.indexed_address(value.number) if value.form in _ADDRESS_INDICES else value.number

    def indexed_address(self, index: int) -> int:
        """An entry of the unit's part of .debug_addr."""
        size = self.encoding.address_size
        base = self._bases.get(At.ADDR_BASE, Value(0, 8 if self.encoding.version >= 5 else 0)).number
        return Cursor(self.image.section_data(".debug_addr"), base + index * size).unsigned(size)

    def is_address(self, value: Value) -> bool:
        """Whether the attribute is an address rather than a constant."""
        return value.form == Form.ADDR or value.form in _ADDRESS_INDICES

    def reference(self, value: Value) -> int | None:
        """The offset in .debug_info that a reference names; None where it leads to another file."""
        if value.form in _LOCAL_REFERENCES:
            return self.encoding.offset + value.number
        return value.number if value.form == Form.REF_ADDR else None
