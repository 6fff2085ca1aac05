"""Address ranges of an entry: low and high pc, .debug_ranges or .debug_rnglists (DWARF 4 and 5, 2.17)."""

from collections.abc import Iterable, Iterator, Mapping

from tracedbg.symbols.dwarf_forms import FormReader, Value
from tracedbg.symbols.dwarf_tags import At, Form
from tracedbg.symbols.reader import Cursor

_LAST = (1 << 64) - 1
_BASE_ADDRESSX, _STARTX_ENDX, _STARTX_LENGTH, _OFFSET_PAIR = 1, 2, 3, 4
_BASE_ADDRESS, _START_END, _START_LENGTH = 5, 6, 7


def read_ranges(
    forms: FormReader, root: Mapping[int, Value], attributes: Mapping[int, Value]
) -> list[tuple[int, int]]:
    """The [low, high) ranges that ``attributes`` give, empty ones left out; addresses as linked."""
    listed = attributes.get(At.RANGES)
    if listed is None:
        return _sound(_low_and_high(forms, attributes))
    base = forms.address(root[At.LOW_PC]) if At.LOW_PC in root else 0
    if forms.encoding.version < 5:
        pairs = _range_list_4(forms, listed.number, base)
    else:
        pairs = _range_list_5(forms, _list_offset(forms, root, listed), base)
    return _sound(pairs)


def _sound(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges that hold an address of 64 bits."""
    return [(low, min(high, _LAST)) for low, high in pairs if 0 <= low < min(high, _LAST)]


def _low_and_high(forms: FormReader, attributes: Mapping[int, Value]) -> Iterator[tuple[int, int]]:
    low_value, high_value = attributes.get(At.LOW_PC), attributes.get(At.HIGH_PC)
    if low_value is None:
        return
    low = forms.address(low_value)
    if high_value is None:
        yield low, low + 1
    elif forms.is_address(high_value):
        yield low, forms.address(high_value)
    else:
        yield low, low + high_value.number


def _range_list_4(forms: FormReader, offset: int, base: int) -> Iterator[tuple[int, int]]:
    size = forms.encoding.address_size
    selects_base = (1 << 8 * size) - 1
    cursor = Cursor(forms.image.section_data(".debug_ranges"), offset)
    while True:
        low, high = cursor.unsigned(size), cursor.unsigned(size)
        if low == 0 and high == 0:
            return
        if low == selects_base:
            base = high
        else:
            yield base + low, base + high


def _list_offset(forms: FormReader, root: Mapping[int, Value], listed: Value) -> int:
    if listed.form != Form.RNGLISTX:
        return listed.number
    size = forms.encoding.offset_size
    section = forms.image.section_data(".debug_rnglists")
    base = root[At.RNGLISTS_BASE].number if At.RNGLISTS_BASE in root else 4 + 2 * size
    return base + Cursor(section, base + listed.number * size).unsigned(size)


def _range_list_5(forms: FormReader, offset: int, base: int) -> Iterator[tuple[int, int]]:
    size = forms.encoding.address_size
    cursor = Cursor(forms.image.section_data(".debug_rnglists"), offset)
    while kind := cursor.unsigned(1):
        if kind == _BASE_ADDRESSX:
            base = forms.indexed_address(cursor.uleb())
        elif kind == _BASE_ADDRESS:
            base = cursor.unsigned(size)
        elif kind == _OFFSET_PAIR:
            yield base + cursor.uleb(), base + cursor.uleb()
        elif kind in (_STARTX_ENDX, _STARTX_LENGTH):
            low, second = forms.indexed_address(cursor.uleb()), cursor.uleb()
            yield low, forms.indexed_address(second) if kind == _STARTX_ENDX else low + second
        elif kind == _START_END:
            yield cursor.unsigned(size), cursor.unsigned(size)
        elif kind == _START_LENGTH:
            low = cursor.unsigned(size)
            yield low, low + cursor.uleb()
        else:
            cursor.section.fail(cursor.offset - 1, f"range list entry of unknown kind {kind}")
