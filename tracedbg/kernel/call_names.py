"""Names of system calls, where something confirms them: numbers are every kernel's own choice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from tracedbg.kernel.symbol_calls import symbol_calls
from tracedbg.kernel.system_calls import SystemCalls
from tracedbg.kernel.trace_index import ConsoleLine, TraceIndex
from tracedbg.symbols import SymbolTable

LINUX_BANNER = b"Linux version "


class NameSource(Enum):
    """What confirms a name."""

    HINT = "tracedbg.toml"
    BANNER = "Linux's banner on the console"
    SYMBOL = "the function that the call reaches"


@dataclass(frozen=True)
class CallName:
    """The name of a call, without ``sys_``; ``evidence`` is a sentence on how it is known."""

    name: str
    source: NameSource
    evidence: str


def linux_banner(index: TraceIndex) -> ConsoleLine | None:
    """Return the line of the console by which Linux says that it runs."""
    return next((line for line in index.console_lines if LINUX_BANNER in line.content), None)


class CallNames:
    """The names of a trace's system calls, by number; immutable.

    ``calls`` is asked only where functions are to be looked for. ``hinted`` are those that tracedbg.toml
    gives, which come first. Linux's table is taken when its banner is on the console, whatever the symbols
    say.
    """

    def __init__(
        self,
        index: TraceIndex,
        calls: Callable[[], SystemCalls],
        symbols: SymbolTable,
        hinted: Mapping[int, str],
    ) -> None:
        self._names = {
            number: CallName(name, NameSource.HINT, f"tracedbg.toml calls number {number} {name}")
            for number, name in hinted.items()
        }
        self.conflicts: frozenset[int] = frozenset()
        banner = linux_banner(index)
        if banner is None:
            self._add_symbols(index, calls(), symbols)
            return
        evidence = f"the console says at t {banner.t:,} that Linux runs"
        for number, name in index.arch.linux_calls.items():
            self._names.setdefault(number, CallName(name, NameSource.BANNER, evidence))

    def _add_symbols(self, index: TraceIndex, calls: SystemCalls, symbols: SymbolTable) -> None:
        found = symbol_calls(index, calls, symbols)
        self.conflicts = found.conflicts - frozenset(self._names)
        for number, (handler, count) in found.reached.items():
            which = "the call reaches" if count == 1 else f"all {count} calls of the number reach"
            evidence = f"{which} {handler.symbol}"
            self._names.setdefault(number, CallName(handler.name, NameSource.SYMBOL, evidence))

    def find(self, number: int | None) -> CallName | None:
        """Return the name of a number, None where nothing confirms one."""
        return None if number is None else self._names.get(number)

    def text(self, number: int | None) -> str:
        """Return the name, else ``syscall 98``."""
        found = self.find(number)
        if found is not None:
            return found.name
        return "syscall ?" if number is None else f"syscall {number}"

    @property
    def sources(self) -> tuple[NameSource, ...]:
        """What confirms names in this trace; empty where nothing does."""
        return tuple(source for source in NameSource if any(n.source is source for n in self._names.values()))
