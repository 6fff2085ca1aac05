"""The last fault before a moment, and what the address was made of that it came from."""

import numpy as np

from tracedbg import query
from tracedbg.arch import Architecture, TrapKind, Use
from tracedbg.arch.dataflow import PROGRAM_COUNTER
from tracedbg.errors import PositionError
from tracedbg.ids import Hart, Time
from tracedbg.provenance.draft import InputDraft, StepDraft
from tracedbg.provenance.drafting import Drafting
from tracedbg.provenance.explanation import Role
from tracedbg.provenance.maker import By, Maker
from tracedbg.provenance.place import BytesAt, RegisterAt
from tracedbg.state import Moment, Trap
from tracedbg.state.recording import Recording
from tracedbg.state.traps import last_trap
from tracedbg.store.epoch import TrapRows
from tracedbg.store.source import Flags

_FAULTS = (TrapKind.FETCH, TrapKind.DATA, TrapKind.INSTRUCTION)


def find_fault(recording: Recording, t: Time, hart: Hart | None) -> Trap:
    """Return the newest exception, but calls and breakpoints, whose handler begins at or before ``t``.

    Page faults count that the guest then resolves, for nothing here tells. PositionError where there is none.
    """
    arch = recording.arch

    def choose(rows: TrapRows) -> Flags:
        faults = [cause for cause in np.unique(rows.cause).tolist() if arch.trap_kind(cause) in _FAULTS]
        own = np.ones(len(rows.t), np.bool_) if hart is None else rows.hart == hart
        return own & np.isin(rows.cause, np.array(faults, np.uint64))

    trap = last_trap(recording.store, t, choose)
    if trap is None:
        whose = "" if hart is None else f" on hart {hart}"
        if recording.store.last_state is not None and t == recording.store.end:
            raise PositionError(
                "fault: the guest ended in traps without running an instruction, and those are not recorded; "
                "`tracedbg analyze` says how it came to that"
            )
        raise PositionError(
            f"fault: no exception{whose} up to t {t} but calls and breakpoints; ask for a register or memory"
        )
    return trap


def draft_fault(recording: Recording, drafting: Drafting, trap: Trap) -> StepDraft:
    """Return the trap as a step whose inputs are what decided the address that it came from.

    For a load or store that is its base register, for a fetch what jumped there; for an instruction that
    may not be executed, how control came to it. Where the address was translated, the page-table entry at
    which that ended is an input as well.
    """
    kind = recording.arch.trap_kind(trap.cause)
    if trap.last is None:
        return StepDraft(_reported(recording.arch, trap), By.TRAP.value, _cause(recording, trap), trap.epc)
    if kind is TrapKind.FETCH or query.pc_at(recording.store, trap.last) != trap.epc:
        step = _draft_jump(recording, drafting, trap, trap.last)
    else:
        step = _draft_access(recording, drafting, trap, trap.last)
    if kind in (TrapKind.FETCH, TrapKind.DATA):
        step.inputs += _translation(recording, trap, Use.FETCH if kind is TrapKind.FETCH else Use.DATA)
    return step


def _cause(recording: Recording, trap: Trap) -> str:
    return recording.arch.cause_name(trap.cause)


def _draft_jump(recording: Recording, drafting: Drafting, trap: Trap, last: Time) -> StepDraft:
    """The instruction that led to where nothing could be executed."""
    place = RegisterAt(PROGRAM_COUNTER, trap.hart, Time(last + 1))
    step = drafting.draft_instruction(Maker(By.INSTRUCTION, last, place, trap.epc, trap=trap))
    step.text = f"{step.text}: {_cause(recording, trap)}"
    return step


def _draft_access(recording: Recording, drafting: Drafting, trap: Trap, last: Time) -> StepDraft:
    """The instruction that trapped."""
    store, arch = recording.store, recording.arch
    executed = query.executed_at(store, last)
    assert executed is not None
    data = store.blocks.instruction_bytes(executed.instruction)
    text = recording.disassembler.decode(data, executed.pc).text
    step = StepDraft(_reported(arch, trap), By.TRAP.value, f"{text}: {_cause(recording, trap)}", trap.epc)
    address, kind = arch.dataflow(data).address, arch.trap_kind(trap.cause)
    if kind is TrapKind.DATA and address is not None and address.base is not None:
        step.inputs.append(drafting.register_input(address.base, trap.hart, last))
    elif kind is TrapKind.INSTRUCTION:
        step.inputs.append(InputDraft(Role.VALUE, RegisterAt(PROGRAM_COUNTER, trap.hart, last), trap.epc))
    return step


def _translation(recording: Recording, trap: Trap, use: Use) -> list[InputDraft]:
    """The page-table entry at which the translation of the trap's address ended; none where none was read."""
    moment = Moment(recording, trap.t, trap.hart)
    space = recording.arch.address_space(moment.registers.find, trap.source, use)
    if space is None or not space.is_translated:
        return []
    levels = moment.translate(trap.value, space=space).levels
    if not levels:
        return []
    entry = BytesAt(levels[-1].address, recording.arch.word_size, trap.t)
    return [InputDraft(Role.TRANSLATION, entry, levels[-1].value)]


def _reported(arch: Architecture, trap: Trap) -> Maker:
    """The trap as what made the value that it reports, at the instruction that it came from."""
    register = arch.trap_registers(trap.target).value
    t = trap.t if trap.last is None else trap.last
    return Maker(By.TRAP, t, RegisterAt(register, trap.hart, trap.t), trap.value, trap=trap)
