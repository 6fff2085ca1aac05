"""``python -m benchmarks [PART]...``: measures, prints the tables, and writes them down."""

import argparse
import tempfile
from pathlib import Path

from benchmarks import analysis, attaching, crashes, machine, queries, recording, reverse
from benchmarks.report import Section, replace
from tests.truth import uboot
from tests.truth.linux import cache_home, make_linux

PARTS = ("recording", "queries", "analysis", "crashes", "reverse", "attaching")
DOCUMENT = Path(__file__).parents[1] / "docs/benchmarks.md"


def main() -> None:
    """Runs the parts that were asked for."""
    arguments = parse()
    about = "\n".join(f"- {line}" for line in machine.describe())
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        sections = run(arguments, arguments.folder.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="tracedbg-bench-") as folder:
            sections = run(arguments, Path(folder))
    for section in sections:
        print(f"\n{section.markdown()}")
        if not arguments.dry:
            replace(DOCUMENT, f"{section.name} machine", about)
            replace(DOCUMENT, section.name, section.markdown())


def parse() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=f"{', '.join(PARTS)}; all unless said"
    )
    parser.add_argument("--runs", type=int, default=3, help="recordings of each guest (3)")
    parser.add_argument("--count", type=int, default=100, help="questions of each kind to each trace (100)")
    parser.add_argument("--steps", type=int, default=20_000, help="single steps of a guest (20,000)")
    parser.add_argument(
        "--folder", type=Path, help="keep the traces here; a trace that is here is asked as it is"
    )
    parser.add_argument("--dry", action="store_true", help="print the tables only")
    return parser.parse_args()


def run(arguments: argparse.Namespace, folder: Path) -> list[Section]:
    """The tables, from traces in ``folder``."""
    parts = arguments.parts or PARTS
    sections = []
    if "attaching" in parts:
        sections.append(attaching.measure(arguments.steps, arguments.runs))
    if "crashes" in parts:
        sections.append(explain(folder / "crash.bin"))
    if not {"recording", "queries", "analysis", "reverse"} & set(parts):
        return sections
    linux = make_linux(cache_home())
    workloads = recording.workloads(linux)
    traces = {workload.name: folder / f"{workload.name.split()[0].lower()}.bin" for workload in workloads}
    if "recording" in parts:
        # The first recording of all compiles the recorder.
        short = recording.Workload("warm-up", uboot.command(1), uboot.answers(uboot.SHORT))
        recording.record(short, folder / "short.bin")
        samples = {w.name: recording.measure(w, traces[w.name], arguments.runs) for w in workloads}
        sections.append(recording.section(samples))
    if "queries" in parts:
        sections.append(ask(workloads[-1], traces[workloads[-1].name], arguments.count))
    if "analysis" in parts:
        sections.append(analyse(workloads, traces))
    if "reverse" in parts:
        linux_trace = traces[workloads[-1].name]
        if not linux_trace.exists():
            recording.record(workloads[-1], linux_trace)
        sections.append(reverse.section(reverse.measure(linux_trace, arguments.count)))
    return sections


def analyse(workloads: list[recording.Workload], traces: dict[str, Path]) -> Section:
    """The table of analyses."""
    for workload in workloads:
        if not traces[workload.name].exists():
            recording.record(workload, traces[workload.name])
    return analysis.section(
        {workload.name: analysis.measure(traces[workload.name]) for workload in workloads}
    )


def explain(trace: Path) -> Section:
    """The table of explained crashes."""
    workload = crashes.workload()
    if not trace.exists():
        recording.record(workload, trace)
    return crashes.section({workload.name: crashes.measure(trace)})


def ask(workload: recording.Workload, whole: Path, count: int) -> Section:
    """The table of queries, on a trace and on one a tenth as long."""
    if not whole.exists():
        recording.record(workload, whole)
    tenth = whole.with_name(f"{whole.stem}-tenth{whole.suffix}")
    results = {workload.name: queries.measure(whole, count)}
    if not tenth.exists():
        recording.record(workload, tenth, "--stop-at", str(results[workload.name].instructions // 10))
    results["a tenth of it"] = queries.measure(tenth, count)
    return queries.section(results)


if __name__ == "__main__":
    main()
