"""Finds the call frame description of an address.

.debug_frame follows DWARF 5, 6.4.1; .eh_frame follows the Linux Standard Base 5.0, 10.6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tracedbg.symbols.image import ElfImage
from tracedbg.symbols.reader import Cursor, SectionData
from tracedbg.symbols.unit_index import loaded_ranges

_OMITTED = 0xFF
_SIZES = {0x02: 2, 0x03: 4, 0x04: 8, 0x0A: 2, 0x0B: 4, 0x0C: 8}


@dataclass(frozen=True, slots=True)
class CommonInformation:
    """A CIE. Its ``instructions`` are a [start, end) of the section; encodings are DW_EH_PE values."""

    code_alignment: int
    data_alignment: int
    return_address_register: int
    signal_frame: bool
    pointer_encoding: int
    address_size: int
    has_augmentation_data: bool
    instructions: tuple[int, int]
    unknown_augmentation: str


@dataclass(frozen=True, slots=True)
class FrameDescription:
    """An FDE: it speaks for [start, end); ``instructions`` as in the CIE."""

    common: CommonInformation
    start: int
    end: int
    instructions: tuple[int, int]


class FrameIndex:
    """The descriptions of one of the two sections; only headers are read for the index."""

    def __init__(self, image: ElfImage, name: str) -> None:
        self._image = image
        self.section: SectionData = image.section_data(name)
        self._is_eh = name == ".eh_frame"
        self._word = 8 if image.headers.is_64bit else 4
        self._common: dict[int, CommonInformation] = {}

    def find(self, address: int) -> FrameDescription | None:
        """The description that covers ``address``, an address as linked."""
        if not 0 <= address < 2**64:
            return None
        starts, descriptions = self._index
        position = int(np.searchsorted(starts, np.uint64(address), side="right")) - 1
        if position < 0 or descriptions[position].end <= address:
            return None
        return descriptions[position]

    @cached_property
    def _index(self) -> tuple[npt.NDArray[np.uint64], list[FrameDescription]]:
        loaded = loaded_ranges(self._image)
        found = [fde for fde in self._read_all() if any(low <= fde.start < high for low, high in loaded)]
        found.sort(key=lambda fde: fde.start)
        return np.array([fde.start for fde in found], np.uint64), found

    def _read_all(self) -> Iterator[FrameDescription]:
        cursor = Cursor(self.section)
        while cursor.offset < cursor.end:
            end, offset_size = cursor.initial_length()
            # An entry of no bytes ends .eh_frame of one input file; the linked section goes on after it.
            if end > cursor.offset:
                entry = Cursor(self.section, cursor.offset, end)
                common = self._common_offset(entry, offset_size)
                if common is not None:
                    yield self._read_description(entry, self._common_at(common))
            cursor.offset = end

    def _common_offset(self, entry: Cursor, offset_size: int) -> int | None:
        """Where the CIE of this entry lies; None when the entry is a CIE itself."""
        here = entry.offset
        identity = entry.unsigned(4 if self._is_eh else offset_size)
        if self._is_eh:
            return None if identity == 0 else here - identity
        return None if identity == (1 << 8 * offset_size) - 1 else identity

    def _common_at(self, offset: int) -> CommonInformation:
        common = self._common.get(offset)
        if common is None:
            cursor = Cursor(self.section, offset)
            end, offset_size = cursor.initial_length()
            entry = Cursor(self.section, cursor.offset, end)
            if self._common_offset(entry, offset_size) is not None:
                self.section.fail(offset, "no call frame information entry there")
            common = self._common[offset] = self._read_common(entry)
        return common

    def _read_common(self, entry: Cursor) -> CommonInformation:
        version, augmentation = entry.unsigned(1), entry.string()
        if version not in (1, 3, 4):
            self.section.fail(entry.offset, f"call frame information of version {version}")
        address_size = self._word
        if version == 4:
            address_size = entry.unsigned(1)
            entry.skip(1)
            if address_size not in (4, 8):
                self.section.fail(entry.offset, f"addresses of {address_size} bytes")
        code_alignment, data_alignment = entry.uleb(), entry.sleb()
        register = entry.unsigned(1) if version == 1 else entry.uleb()
        encoding, unknown = 0, "" if augmentation in ("", "eh") else augmentation
        has_data = augmentation.startswith("z")
        if has_data:
            encoding, unknown = self._read_augmentation(entry, augmentation)
        return CommonInformation(
            code_alignment, data_alignment, register, "S" in augmentation, encoding, address_size, has_data,
            (entry.offset, entry.end), unknown,
        )  # fmt: skip

    def _read_augmentation(self, entry: Cursor, augmentation: str) -> tuple[int, str]:
        """The encoding of code pointers, and the letters that are not understood."""
        size = entry.uleb()
        data = Cursor(self.section, entry.offset)
        entry.skip(size)
        data.end = entry.offset
        encoding = 0
        for position, letter in enumerate(augmentation[1:], 1):
            if letter == "R":
                encoding = data.unsigned(1)
            elif letter == "L":
                data.skip(1)
            elif letter == "P":
                self._read_pointer(data, data.unsigned(1))
            elif letter not in "SB":
                return encoding, augmentation[position:]
        return encoding, ""

    def _read_description(self, entry: Cursor, common: CommonInformation) -> FrameDescription:
        if self._is_eh:
            start = self._read_pointer(entry, common.pointer_encoding)
            length = self._read_pointer(entry, common.pointer_encoding & 0x0F)
        else:
            start, length = entry.unsigned(common.address_size), entry.unsigned(common.address_size)
        if common.has_augmentation_data:
            entry.skip(entry.uleb())
        mask = (1 << 8 * self._word) - 1
        return FrameDescription(
            common, start & mask, min((start & mask) + (length & mask), mask), (entry.offset, entry.end)
        )

    def _read_pointer(self, cursor: Cursor, encoding: int) -> int:
        """A pointer by its DW_EH_PE encoding; relative to nothing or to its own place."""
        if encoding == _OMITTED:
            return 0
        here, form, relative = self.section.address + cursor.offset, encoding & 0x0F, encoding & 0x70
        if relative not in (0, 0x10):
            self.section.fail(cursor.offset, f"pointer encoding {encoding:#x} is not read")
        if form in (0x01, 0x09):
            value = cursor.uleb() if form == 0x01 else cursor.sleb()
        elif form in (0x00, 0x08):
            value = cursor.unsigned(self._word)
        elif form in _SIZES:
            value = cursor.signed(_SIZES[form]) if form & 8 else cursor.unsigned(_SIZES[form])
        else:
            self.section.fail(cursor.offset, f"pointer encoding {encoding:#x} is not known")
        return value + here if relative else value
