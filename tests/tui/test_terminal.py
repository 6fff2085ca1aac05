"""The command in a real terminal: tmux runs it, keys are sent, the screen is read."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg

ROOT = Path(__file__).parents[2]
SIZE = ("-x", "110", "-y", "36")


class Terminal:
    """A terminal of its own tmux server."""

    def __init__(self, folder: Path) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "tmux")]

    def _run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=check)
        return done.stdout

    def start(self, *command: str) -> None:
        # The test runner's variables would outdo the terminal's own size.
        run = f"unset COLUMNS LINES; {sys.executable} -m tracedbg {' '.join(command)}"
        inside = f"{run}; echo left with $?; sleep 60"
        environment = ["-e", f"PYTHONPATH={ROOT}", "-e", "TERM=tmux-256color"]
        self._run("new-session", "-d", *SIZE, *environment, "sh", "-c", inside)

    def send(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    @property
    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait_for(self, *texts: str, there: bool = True) -> str:
        """Return the screen once all texts are on it, or none of them is; it is drawn piece by piece."""
        for _ in range(600):
            shown = self.screen
            if all((text in shown) is there for text in texts):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"waited for {texts} to be {'there' if there else 'gone'}:\n{self.screen}")

    def end(self) -> None:
        self._run("kill-server", check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    assert shutil.which("tmux"), "tmux is missing: make tools installs it"
    found = Terminal(tmp_path)
    yield found
    found.end()


@pytest.mark.slow
def test_a_person_looks_at_a_trace(terminal: Terminal, program_path: Path) -> None:
    terminal.start("replay", os.fspath(program_path), "--at", "3")
    header = "program.bin  riscv64, 1 hart, 211 instructions, guest shutdown"
    terminal.wait_for(header, "▶ 80000104  sd ra, 8(sp)", "t 3 (last-kernel")
    terminal.send("f")
    terminal.wait_for("▶ 80000108", "instruction: t 4 (+1)")
    terminal.send("g")
    terminal.wait_for("out to the caller: t 26")
    terminal.send("t")
    terminal.wait_for("jump to")
    terminal.send("nowhere", "Enter")
    terminal.wait_for("nowhere: neither a position nor a known symbol")
    terminal.send("Escape")
    terminal.wait_for("jump to ──", there=False)
    terminal.send("q")
    terminal.wait_for("left with 0")


@pytest.mark.slow
def test_a_person_follows_a_finding(terminal: Terminal) -> None:
    path = ROOT / "traces" / "stack_futex.bin"
    with tracedbg.open(path) as trace:
        story = trace.analyze(["stack-underflow"]).findings[0]
    assert story.writer is not None
    assert story.victim is not None
    watched = f"{story.victim.physical:x}:{story.victim.size}"
    frame = story.victim.physical // 4096 * 4096
    terminal.start("replay", os.fspath(path))
    terminal.wait_for("◆ 1 finding")
    terminal.send("n")
    terminal.wait_for("─ findings ─", f"◆ stack-underflow  t {story.t:,}  {story.title[:30]}")
    terminal.send("Enter")
    terminal.wait_for("─ findings ─", there=False)
    terminal.wait_for(f"▶ {story.writer.code.pc:x}")
    terminal.wait_for(f"t {story.t:,} (last-kernel")
    terminal.wait_for(f"memory  pa {watched}")
    terminal.wait_for(f"sp▶{frame:x} ")
    lanes = terminal.wait_for(f"\n{watched}", "◆ stack-underflow").splitlines()
    assert any(line.startswith(watched) and "w" in line for line in lanes)
    assert any(line.startswith("findings") and "◆ stack-underflow" in line for line in lanes)
    terminal.send("h")
    terminal.wait_for(f"t {story.consumers[0].t:,} (last-kernel")
    terminal.send("q")
    terminal.wait_for("left with 0")


@pytest.mark.slow
def test_leaving_does_not_wait_for_the_analysis(terminal: Terminal) -> None:
    terminal.start("replay", os.fspath(ROOT / "traces" / "stack_futex.bin"))
    terminal.wait_for("analysing ")
    terminal.send("q")
    assert "finding  t " not in terminal.wait_for("left with 0")


@pytest.mark.slow
def test_what_is_no_trace_is_one_line(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "text.bin"
    path.write_text("this is not a trace")
    terminal.start("replay", str(path))
    shown = terminal.wait_for("left with 1")
    lines = [line for line in shown.splitlines() if line.strip()]
    assert lines[0].startswith("tracedbg: ")
    assert "Traceback" not in shown


def test_without_a_terminal_it_says_so(program_path: Path) -> None:
    command = [sys.executable, "-m", "tracedbg", "replay", str(program_path)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tracedbg: replay needs a terminal to show its screen on")
    assert done.stderr.count("\n") == 1
