"""Make a picture of the replay screen: run it without a terminal, press keys, export the screen as SVG.

python -m scripts.replay_picture traces/stack_futex.bin docs/images/replay.svg --at sys_futex --keys v v k
"""

import argparse
import asyncio
from pathlib import Path

import tracedbg
from tracedbg.session import Session
from tracedbg.tui.app import ReplayApp
from tracedbg.tui.body import Body
from tracedbg.tui.examiner import Examiner
from tracedbg.tui.runner import MoveRunner

LONGEST_WAIT = 6000
"""Hundredths of a second until a screen must have come to rest."""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--at", default="last-kernel", help="position to open at")
    parser.add_argument("--symbols", type=Path, nargs="*", default=[], help="ELF files")
    parser.add_argument("--columns", type=int, default=132)
    parser.add_argument("--rows", type=int, default=42)
    parser.add_argument("--select", help="bytes to select, such as sp+16:8")
    parser.add_argument("--keys", nargs="*", default=[], help="keys to press, by Textual's names")
    options = parser.parse_args()
    with tracedbg.open(options.trace, symbols=options.symbols) as trace:
        session = Session(trace, at=trace.position(options.at))
        if options.select:
            session.select(session.find_bytes(session.place, options.select))
        picture = asyncio.run(draw(ReplayApp(session), (options.columns, options.rows), options.keys))
    options.picture.write_text(picture)


async def draw(app: ReplayApp, size: tuple[int, int], keys: list[str]) -> str:
    """Return the screen as SVG after some keys."""
    async with app.run_test(size=size) as pilot:
        body, runner = app.screen.query_one(Body), app.screen.query_one(MoveRunner)
        examiner = app.screen.query_one(Examiner)

        async def settle() -> None:
            quiet = 0
            for _ in range(LONGEST_WAIT):
                await pilot.pause(0.01)
                busy = runner.running is not None or examiner.is_busy
                busy = busy or any(panel.is_busy for panel in body.panels)
                quiet = 0 if busy else quiet + 1
                if quiet == 3:
                    return
            raise TimeoutError("the screen does not come to rest")

        await settle()
        for key in keys:
            await pilot.press(key)
            await settle()
        return app.export_screenshot(title="tracedbg replay")


if __name__ == "__main__":
    main()
