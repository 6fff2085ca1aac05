"""Walks all entries of a unit fast: entries of no interest are stepped over without decoding them."""

from collections.abc import Collection, Iterator

from tracedbg.symbols.dwarf_abbreviations import Abbreviation
from tracedbg.symbols.dwarf_forms import FormReader, Value
from tracedbg.symbols.dwarf_tags import Form
from tracedbg.symbols.dwarf_units import DwarfUnits, Unit
from tracedbg.symbols.reader import Cursor

Entry = tuple[int, dict[int, Value]]


def scan_entries(units: DwarfUnits, unit: Unit, tags: Collection[int]) -> Iterator[Entry]:
    """(depth, attributes) of each entry whose tag is in ``tags``, in the order of the file."""
    cursor = Cursor(units.image.section_data(".debug_info"), unit.first_entry, unit.end)
    table, forms = units.table(unit), units.forms(unit)
    plans: dict[int, tuple[Abbreviation, list[int] | None]] = {}
    data, depth = cursor.section.data, 0
    while cursor.offset < cursor.end:
        code = data[cursor.offset]
        if code < 0x80:
            cursor.offset += 1
        else:
            code = cursor.uleb()
        if code == 0:
            # More ends than beginnings: padding after the last entry.
            depth = max(depth - 1, 0)
            continue
        plan = plans.get(code)
        if plan is None:
            abbreviation = table.find(code)
            skips = None if abbreviation.tag in tags else _skip_plan(forms, abbreviation)
            plan = plans[code] = (abbreviation, skips)
        if plan[1] is None:
            yield depth, forms.entry(cursor, plan[0])
        else:
            _skip(cursor, forms, plan[1])
        depth += plan[0].has_children


def _skip_plan(forms: FormReader, abbreviation: Abbreviation) -> list[int]:
    """Fixed sizes added up as numbers >= 0; each form of variable size as minus its number."""
    plan: list[int] = []
    for _, form, _ in abbreviation.attributes:
        size = forms.fixed.get(form)
        if size is None:
            plan.append(-form)
        elif plan and plan[-1] >= 0:
            plan[-1] += size
        else:
            plan.append(size)
    return plan


def _skip(cursor: Cursor, forms: FormReader, plan: list[int]) -> None:
    data = cursor.section.data
    for step in plan:
        if step >= 0:
            cursor.skip(step)
        elif step == -Form.EXPRLOC and cursor.offset < cursor.end and data[cursor.offset] < 0x80:
            cursor.skip(1 + data[cursor.offset])
        else:
            forms.value(cursor, -step)
