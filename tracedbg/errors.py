"""Every error that tracedbg raises on purpose has one root, carries its facts, and says what to do."""


class TracedbgError(Exception):
    """An error that a user can act on; ``str()`` is one line that says what happened and what to do."""

    exit_code = 1


class UsageError(TracedbgError):
    """What was asked for does not make sense: a wrong option, position or address."""

    exit_code = 2


class TraceFormatError(TracedbgError):
    """A trace file is malformed.

    ``path`` names the file, ``offset`` the byte in it (None where no single byte is to blame).
    """

    def __init__(self, path: str, offset: int | None, problem: str) -> None:
        super().__init__(path, offset, problem)
        self.path = path
        self.offset = offset
        self.problem = problem

    def __str__(self) -> str:
        place = self.path if self.offset is None else f"{self.path}: byte {self.offset}"
        return f"{place}: {self.problem}"


class SymbolError(TracedbgError):
    """An ELF or DWARF file cannot be read; ``path`` names it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class RecordError(TracedbgError):
    """A recording could not be started or finished."""


class PositionError(UsageError):
    """A position such as ``sys_futex#3`` names no moment of the trace."""
