"""One answer from a trace, in a process of its own: ``python -m benchmarks.first_answer TRACE T ADDRESS``."""

import sys

import tracedbg

PAGE = 4096


def main(path: str, t: str, address: str) -> None:
    """Opens the trace, and reads the registers and a page at a moment."""
    with tracedbg.open(path) as trace:
        moment = trace.at(int(t))
        assert moment.registers is not None
        moment.memory.read_physical(int(address) // PAGE * PAGE, PAGE)


if __name__ == "__main__":
    main(*sys.argv[1:])
