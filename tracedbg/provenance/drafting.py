"""What each kind of event made a value of: the step, with the places that its inputs come from."""

from tracedbg import query
from tracedbg.arch import Dataflow, Operation
from tracedbg.arch.dataflow import MEMORY, PROGRAM_COUNTER, Result
from tracedbg.format.schema import Cause
from tracedbg.ids import Hart, Time
from tracedbg.provenance.byte_makers import device_name, find_bytes, loaded
from tracedbg.provenance.draft import InputDraft, StepDraft
from tracedbg.provenance.explanation import Cut, End, Role
from tracedbg.provenance.maker import By, Maker
from tracedbg.provenance.place import BytesAt, Place, RegisterAt
from tracedbg.provenance.program_counter import find_program_counter
from tracedbg.provenance.register_makers import RegisterMakers
from tracedbg.provenance.restored import LIMIT, Restored, find_restored
from tracedbg.query import Executed
from tracedbg.state.recording import Recording

_REPEATING = (Operation.ARITHMETIC, Operation.FLOAT, Operation.ATOMIC, Operation.CONTROL)
_CHANGES = {
    Cause.PAGE_TABLE_WALK: "a page-table walk set bits",
    Cause.DMA: "a device wrote memory",
    Cause.SEMIHOSTING: "a semihosting call",
    Cause.RESET: "a reset",
    Cause.DEBUGGER: "a debugger",
    Cause.IN_FLIGHT: "a store that QEMU had not reported when it was killed",
    Cause.INSTRUCTION: "the first part of a store that trapped in its second page",
    Cause.UNEXPLAINED: "nothing that the recording shows",
}
_PLAIN = {
    By.START: (End.START, "since the recording began"),
    By.READ_ONLY: (End.READ_ONLY, "boot ROM or flash"),
    By.RESET: (End.RESET, "a reset"),
    By.UNKNOWN: (End.UNKNOWN, "it changed, and what changed it is not known"),
}


class Drafting:
    """Finds makers and drafts steps for one recording. ``follow_stack``: go on from the stack pointer."""

    def __init__(self, recording: Recording, *, follow_stack: bool) -> None:
        self._recording = recording
        self._store = recording.store
        self._follow_stack = follow_stack
        self.registers = RegisterMakers(recording)

    def find(self, place: Place, value: int | None) -> list[Maker]:
        """Return what made a place's value: for bytes one or several makers, in order of address."""
        if isinstance(place, BytesAt):
            return find_bytes(self._store, place, value)
        if place.name == PROGRAM_COUNTER:
            return [find_program_counter(self._store, place)]
        return [self.registers.find(place)]

    def draft(self, maker: Maker) -> StepDraft:
        """Return the step of an event."""
        if maker.by is By.INSTRUCTION:
            restored = find_restored(self._recording, self.registers, maker)
            step = self.draft_instruction(maker)
            return step if restored is None else self._as_restored(step, restored)
        if maker.by is By.TRAP:
            return self._draft_trap(maker)
        if maker.by is By.CHANGE:
            cause = maker.access.cause if maker.access is not None else None
            return StepDraft(maker, maker.by.value, _CHANGES[cause or Cause.UNEXPLAINED], end=End.CHANGE)
        if maker.by is By.DEVICE:
            assert isinstance(maker.place, BytesAt)
            return StepDraft(maker, maker.by.value, device_name(self._store, maker.place), end=End.DEVICE)
        end, text = _PLAIN[maker.by]
        if maker.by is By.START and isinstance(maker.place, BytesAt):
            end, text = End.IMAGE, self._image_text(maker.place)
        return StepDraft(maker, maker.by.value, text, end=end)

    def _as_restored(self, step: StepDraft, restored: Restored) -> StepDraft:
        saved = restored.saved
        step.kind = "restored"
        step.repeats = restored.times >= LIMIT
        times = "" if restored.times == 1 else f"; restored {restored.times} times since"
        step.text = f"{step.text} (as saved at t {saved.t}{times})"
        step.inputs = [self.register_input(saved.name, saved.hart, saved.t)]
        return step

    def _image_text(self, place: BytesAt) -> str:
        symbol = None if place.virtual is None else self._recording.symbols.at(place.virtual)
        if symbol is None:
            return "memory as it was when the recording began"
        section = f" in {symbol.section}" if symbol.section else ""
        return f"{symbol.demangled}+{symbol.offset:#x}{section}, as it was when the recording began"

    def _draft_trap(self, maker: Maker) -> StepDraft:
        trap, arch = maker.trap, self._recording.arch
        assert trap is not None
        text = f"{arch.cause_name(trap.cause)} at {trap.epc:#x}"
        return StepDraft(maker, maker.by.value, text, end=End.TRAP)

    def draft_instruction(self, maker: Maker) -> StepDraft:
        """Return the step of the instruction that starts at the maker's t."""
        executed = query.executed_at(self._store, maker.t)
        assert executed is not None
        data = self._store.blocks.instruction_bytes(executed.instruction)
        flow = self._recording.arch.dataflow(data)
        text = self._recording.disassembler.decode(data, executed.pc).text
        place = maker.place
        result = flow.find(MEMORY if isinstance(place, BytesAt) else place.name)
        step = StepDraft(maker, flow.operation.value, text, executed.pc)
        if result is None:
            step.end = End.UNKNOWN
            return step
        step.repeats = flow.operation in _REPEATING
        self._add_inputs(step, flow, result, executed)
        return step

    def _add_inputs(self, step: StepDraft, flow: Dataflow, result: Result, executed: Executed) -> None:
        for source in dict.fromkeys(result.sources):
            step.inputs += self._inputs(step, source, executed)
        if flow.operation is Operation.BRANCH:
            for each in step.inputs:
                each.role, each.cut = Role.CONDITION, Cut.CONDITION
        if not step.values:
            step.end = _end_without_values(flow, result)
        if (
            flow.address is not None
            and flow.address.base is not None
            and MEMORY in (result.target, *result.sources)
        ):
            step.inputs.append(self.address_input(flow.address.base, executed.hart, executed.t))

    def _inputs(self, step: StepDraft, source: str, executed: Executed) -> list[InputDraft]:
        place = step.maker.place
        if source == MEMORY:
            if isinstance(place, BytesAt):
                return [
                    InputDraft(
                        Role.VALUE, BytesAt(place.physical, place.size, executed.t, place.virtual), None
                    )
                ]
            return [InputDraft(Role.VALUE, *brought) for brought in loaded(self._store, executed.t)]
        if not self.registers.follows(source):
            return []
        found = self.register_input(source, executed.hart, executed.t)
        stack_pointer = self._recording.arch.stack_pointer
        moves_it = isinstance(place, RegisterAt) and place.name == stack_pointer
        if source == stack_pointer and not moves_it and not self._follow_stack:
            found.cut = Cut.STACK_POINTER
        return [found]

    def register_input(self, name: str, hart: Hart, t: Time) -> InputDraft:
        """Return a register as an input, with what made it."""
        place = RegisterAt(name, hart, t)
        maker = self.registers.find(place)
        return InputDraft(Role.VALUE, place, maker.value, maker)

    def address_input(self, name: str, hart: Hart, t: Time) -> InputDraft:
        """Return the register that tells where memory is touched; it is not followed."""
        found = self.register_input(name, hart, t)
        found.role, found.cut = Role.ADDRESS, Cut.ADDRESS
        return found


def _end_without_values(flow: Dataflow, result: Result) -> End:
    if MEMORY in result.sources:
        return End.UNKNOWN
    if result.sources and flow.operation is not Operation.BRANCH:
        return End.NOT_RECORDED
    is_link = flow.operation in (Operation.CALL, Operation.JUMP) and result.target != PROGRAM_COUNTER
    return End.RETURN_ADDRESS if is_link else End.CONSTANT
