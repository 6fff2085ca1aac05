"""Everything that is known at one t, seen from one hart."""

from functools import cached_property

from tracedbg.arch import AddressSpace, Use, Walk
from tracedbg.errors import PositionError, UsageError
from tracedbg.ids import Frame as FrameNumber
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.query import executed_at, hart_at, last_of_hart, next_of_hart, registers_at
from tracedbg.query.moments import Executed
from tracedbg.state.activation import Activation, Unwinder
from tracedbg.state.address_spaces import Alias, iter_aliases, spaces_around
from tracedbg.state.backtrace import backtrace
from tracedbg.state.frame import FoundBy, Frame
from tracedbg.state.known import Known
from tracedbg.state.leaving_off import find_place
from tracedbg.state.listing import CodeLine, Listing
from tracedbg.state.memory import Memory
from tracedbg.state.recording import Recording
from tracedbg.state.registers import Registers
from tracedbg.state.traps import Trap, trap_at
from tracedbg.store.stops import Place


class Moment:
    """The state at ``t``: before the instruction that starts at t runs. Immutable, for several threads.

    ``hart`` is the one that runs at t (at the trace's end the one that ran last), unless another one was
    chosen; a hart that does not run at t stands where it last left off. PositionError for a t outside the
    trace, UsageError for a hart that the guest does not have.
    """

    def __init__(self, recording: Recording, t: int, hart: int | None = None) -> None:
        store = recording.store
        if not store.start <= t <= store.end:
            raise PositionError(f"t {t}: the trace goes from {store.start} to {store.end}")
        if hart is not None and not 0 <= hart < store.guest.harts:
            raise UsageError(f"hart {hart}: the guest's harts are 0 to {store.guest.harts - 1}")
        self._recording = recording
        self.t = Time(t)
        self.hart = Hart(hart) if hart is not None else hart_at(store, self.t) or Hart(0)
        self.memory = Memory(store, self.t, lambda virtual, space: self.translate(virtual, space=space))

    def __repr__(self) -> str:
        return f"<Moment t={self.t} hart={self.hart} of {self._recording.store.path}>"

    def on(self, hart: int) -> "Moment":
        """Return the same t seen from another hart."""
        return Moment(self._recording, self.t, hart)

    @cached_property
    def registers(self) -> Registers:
        """The hart's registers by ABI name, alias or part; None where the trace does not tell."""
        store = self._recording.store
        values, known = registers_at(store, self.hart, self.t)
        whole = [int(value) if sure else None for value, sure in zip(values, known, strict=True)]
        return Registers(self._recording.arch, store.guest.registers, whole)

    @cached_property
    def next_t(self) -> Time | None:
        """The first t' >= t at which an instruction of the hart starts, None when it does not run again."""
        return next_of_hart(self._recording.store, self.hart, self.t)

    @cached_property
    def _next(self) -> Executed | None:
        return None if self.next_t is None else executed_at(self._recording.store, self.next_t)

    @cached_property
    def _pending(self) -> Trap | None:
        """The trap by which the hart's next instruction comes, if that is yet to happen."""
        if self.next_t is None or self.next_t == self.t:
            return None
        trap = trap_at(self._recording.store, self.next_t)
        return trap if trap is not None and trap.hart == self.hart else None

    @cached_property
    def _place(self) -> Place | None:
        """Where the hart stands, as a debugger stub told; only captures have that."""
        store = self._recording.store
        place = store.stops.find_place(self.t, self.hart) if store.guest.is_capture else None
        last = None if place is None else last_of_hart(store, self.hart, self.t)
        return place if last is None or place is None or last < place.t else None

    @property
    def stands(self) -> bool:
        """Whether a debugger stub told that the hart stands still at t, before its next instruction."""
        return self._place is not None

    @property
    def pc(self) -> VirtualAddress | None:
        """The address of the instruction that the hart stands at, None where that is not known.

        A hart that does not run again stands behind its last instruction, if that is known to have retired.
        In a capture it is not known of a hart that did not stand still at t.
        """
        if self._place is not None:
            return self._place.pc
        if self._recording.store.guest.is_capture and self.next_t != self.t:
            return None
        if self._pending is not None:
            return self._pending.epc
        return self._left_off if self._next is None else self._next.pc

    @cached_property
    def _left_off(self) -> VirtualAddress | None:
        return find_place(self._recording, self.hart)

    @cached_property
    def privilege(self) -> int | None:
        """0 user, 1 supervisor, 3 machine; that of the last instruction of a hart that does not run again."""
        if self._place is not None:
            return self._place.privilege
        if self._recording.store.guest.is_capture and self.next_t != self.t:
            return None
        if self._pending is not None:
            return self._pending.source
        if self._next is not None:
            return self._next.privilege
        store = self._recording.store
        last = last_of_hart(store, self.hart, self.t)
        executed = None if last is None else executed_at(store, last)
        return None if executed is None else executed.privilege

    @property
    def satp(self) -> int | None:
        """The value of the register that names the page tables."""
        return self.registers.find(self._recording.arch.address_space_register)

    @property
    def trap(self) -> Trap | None:
        """The trap whose handler begins at t."""
        found = trap_at(self._recording.store, self.t)
        return found if found is not None and found.hart == self.hart else None

    def address_space(self, use: Use = Use.DATA) -> AddressSpace | None:
        """Return the address space in force for loads and stores, or for fetches; None if not known."""
        if self.privilege is None:
            return None
        return self._recording.arch.address_space(self.registers.find, self.privilege, use)

    def address_spaces(self) -> tuple[AddressSpace, ...]:
        """Return the translated address spaces that harts used at t and shortly before."""
        return spaces_around(self._recording, self.t)

    def translate(self, virtual: VirtualAddress | int, *, space: AddressSpace | int | None = None) -> Walk:
        """Walk the page tables at t for a virtual address, each level shown.

        ``space`` is another address space than the one in force, or its value of satp: then addresses are
        translated whatever the privilege.
        """
        arch = self._recording.arch
        if isinstance(space, int):
            space = arch.address_space_of(space)
        chosen = self.address_space() if space is None else space
        if not 0 <= virtual < 1 << 64:
            raise UsageError(f"{virtual:#x} is no address of 64 bits")
        if chosen is None:
            problem = "it is not known which address space is in force"
            return Walk(VirtualAddress(virtual), AddressSpace(0, "unknown"), (), None, 0, problem)
        return arch.walk(chosen, VirtualAddress(virtual), self.memory.word)

    def aliases(self, frame: FrameNumber | int) -> tuple[Alias, ...]:
        """Return where a frame (physical address / 4096) appears in ``address_spaces()``, tables as at t."""
        return tuple(iter_aliases(self._recording, self.memory, self.t, FrameNumber(frame)))

    def disassembly(self, *, before: int = 8, after: int = 16) -> tuple[CodeLine, ...]:
        """Return up to ``before`` instructions before pc, the one at pc, and up to ``after`` more.

        Nothing where pc is not known. Those before are found from what ran, else from the symbol's start.
        """
        if self.pc is None:
            return ()
        return Listing(self._recording, self._read_code).around(self.pc, before, after)

    def _read_code(self, address: VirtualAddress, size: int) -> Known:
        return self.memory.read_virtual(address, size, space=self.address_space(Use.FETCH))

    def backtrace(self) -> tuple[Frame, ...]:
        """Return the call stack, innermost frame first; each says how it was found. Empty without a pc."""
        if self.pc is None or self.privilege is None:
            return ()
        unwinder = Unwinder(self._recording, self.t, self._locate, self.memory.word)
        registers = dict(self.registers)
        space = self.address_space(Use.FETCH)
        first = Activation(
            self.pc, registers, self.privilege, space, self.hart, FoundBy.REGISTERS, live=self.t
        )
        return backtrace(unwinder, first)

    def _locate(self, space: AddressSpace, virtual: VirtualAddress) -> PhysicalAddress | None:
        return self.translate(virtual, space=space).physical
