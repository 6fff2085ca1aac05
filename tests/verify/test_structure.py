"""Traces that contradict themselves are reported in a sentence, and never break verify."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.building.machine import Machine
from tests.verify.alteration import Altered
from tests.verify.small import write_with_end
from tracedbg.errors import TraceFormatError
from tracedbg.verify.report import Report
from tracedbg.verify.verify import verify

ENDS = "; nothing after that was verified"
HUGE = 1 << 40

CASES: list[tuple[str, dict[str, list[int]], str]] = [
    ("epoch", {"bounds": [100]}, "epoch 1: column bounds has 1 rows, not 2"),
    ("epoch", {"bounds": [105, 100]}, "epoch 1: it claims to go from t 105 to 100"),
    ("epoch", {"bounds": [105, HUGE]}, f"epoch 1: it claims to go from t 105 to {HUGE}"),
    ("epoch", {"bounds": [106, 111]}, "epoch 1: it begins at t 106, and the epoch before it ends at t 105"),
    ("epoch", {"bounds": [105, 111]}, "epoch 1: its runs have 5 instructions, and it claims 6"),
    ("epoch", {"run.block": [1]}, "epoch 1: column run.block holds 1, which is not below 1"),
    ("epoch", {"run.block": [0] * 6}, "epoch 1: 6 runs do not fit into 5 instructions"),
    ("epoch", {"short.run": [1], "short.started": [1]},
     "epoch 1: column short.run holds 1, which is not below 1"),
    ("epoch", {"short.run": [0], "short.started": [5]},
     "epoch 1: a short run is not shorter than its block"),
    ("epoch", {"short.run": [0]}, "epoch 1: column short.started has 0 rows and short.run has 1"),
    ("epoch", {"turn.run": [], "turn.hart": []}, "epoch 1: its first run has no hart"),
    ("epoch", {"turn.hart": [999]}, "epoch 1: column turn.hart holds 999, which is not below 1"),
    ("epoch", {"turn.run": [0, 0], "turn.hart": [0, 0]}, "epoch 1: column turn.run does not ascend"),
    ("epoch", {"unretired.t": [5]}, "epoch 1: column unretired.t holds 5, which is not below 5"),
    ("epoch", {"open.t": [HUGE >> 10]}, f"epoch 1: column open.t holds {HUGE >> 10}, which is not below 5"),
    ("epoch", {"state.t": [0]}, "epoch 1: column state.hart has 0 rows and state.t has 1"),
    ("epoch", {"state.t": [6], "state.hart": [0], "state.register": [1], "state.value": [1]},
     "epoch 1: column state.t holds 6, which is not below 6"),
    ("epoch", {"state.t": [0], "state.hart": [7], "state.register": [1], "state.value": [1]},
     "epoch 1: column state.hart holds 7, which is not below 1"),
    ("epoch", {"state.t": [0], "state.hart": [0], "state.register": [34], "state.value": [1]},
     "epoch 1: column state.register names one that the guest does not have"),
    ("epoch", {"keyframe.value": [0] * 67}, "epoch 1: 2 keyframes of 34 registers have 67 values"),
    ("epoch", {"keyframe.t": [4, 0]}, "epoch 1: column keyframe.t does not ascend"),
    ("epoch", {"keyframe.t": [0, 6]}, "epoch 1: column keyframe.t holds 6, which is not below 6"),
    ("epoch", {"keyframe.hart": [0, 65535]},
     "epoch 1: column keyframe.hart holds 65535, which is not below 1"),
    ("writes", {"value": []}, "epoch 1: 0 register values for 1 instructions"),
    ("accesses", {"t": [2, 3]}, "epoch 1: column flags has 3 rows and t has 2"),
    ("accesses", {"t": [2, 3, 5]}, "epoch 1: column t holds 5, which is not below 5"),
    ("accesses", {"t": [3, 2, 4]}, "epoch 1: column t does not ascend"),
    ("accesses", {"flags": [4, 11, 2]}, "epoch 1: an access has more than 8 bytes"),
    ("accesses", {"flags": [0x31, 11, 2]}, "epoch 1: an access is of no known kind of memory"),
    ("accesses", {"mapping.access": [3], "mapping.delta": [0]},
     "epoch 1: column mapping.access holds 3, which is not below 3"),
    ("accesses", {"crossing.access": [3], "crossing.physical": [0]},
     "epoch 1: column crossing.access holds 3, which is not below 3"),
    ("accesses", {"crossing.access": [0], "crossing.physical": [8]},
     "epoch 1: an access goes on in a second page, but not at its first byte"),
    ("accesses", {"change.t": [6]}, "epoch 1: column change.t holds 6, which is not below 6"),
    ("accesses", {"change.physical": [0x8000_0004]}, "epoch 1: a change is not at a multiple of 8"),
    ("accesses", {"change.cause": [8]}, "epoch 1: column change.cause holds 8, which is not below 8"),
    ("blocks", {"instructions": [6]},
     "epoch 0: blocks claim 6 instructions, and the dictionary holds 5"),
    ("blocks", {"instructions": [0, 5], "virtual": [0, 0], "privilege": [0, 0]},
     "epoch 0: a block has no instruction"),
    ("blocks", {"insn.source": [1, 2, 4, 0, 11]},
     "epoch 0: column insn.source holds 11, which is not below 11"),
    ("blocks", {"insn.destination": [32, 2, 3, 0, 0]},
     "epoch 0: column insn.destination holds 32, which is not below 32"),
    ("blocks", {"insn.constant": []}, "epoch 0: 1 instructions load a constant, and 0 constants are there"),
    ("image", {"bytes": [0] * 4095}, "an image of 1 frames has 4095 bytes"),
    ("image", {"frame": [3, 3]}, "column frame does not ascend"),
    ("end", {"digest": [0] * 15}, "1 frames at the end have 15 bytes of digests"),
]  # fmt: skip


def verify_altered(altered: Altered, tmp_path: Path) -> Report:
    return verify(altered.write(tmp_path / "altered.bin"))


@pytest.mark.parametrize(("topic", "columns", "sentence"), CASES, ids=[case[2] for case in CASES])
def test_what_points_nowhere_is_said_and_ends_the_verification(
    altered: Altered, tmp_path: Path, topic: str, columns: dict[str, list[int]], sentence: str
) -> None:
    part = [part for part in altered.parts if part.topic == topic][-1]
    for name, rows in columns.items():
        part.set(name, rows)
    report = verify_altered(altered, tmp_path)
    assert report.examples == [f"structure: {sentence}{ENDS}"]
    assert {name: count for name, count in report.mismatches.items() if count} == {"structure": 1}


def test_late_rows_are_of_a_known_kind(altered: Altered, tmp_path: Path) -> None:
    altered.add_late([104], [3], [0])
    report = verify_altered(altered, tmp_path)
    assert report.examples == [f"structure: column kind holds 3, which is not below 3{ENDS}"]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"epochs": [0, 2]}, "it says that it is of epochs [0, 2]"),
        ({"epochs": []}, "it says that it is of epochs []"),
        ({"written.mask": [0]}, "1 frames have 1 bytes of masks"),
        ({"written.frame": [2, 1]}, "column written.frame does not ascend"),
        ({"written.bytes": []}, "it has fewer bytes than are set in its masks"),
        ({"written.bytes": [0] * 99}, "it has more bytes than are set in its masks"),
    ],
)
def test_a_span_that_contradicts_itself_leaves_the_rest_to_be_verified(
    altered: Altered, tmp_path: Path, columns: dict[str, list[int]], sentence: str
) -> None:
    for name, rows in columns.items():
        altered.part("span/0", 1).set(name, rows)
    report = verify_altered(altered, tmp_path)
    assert report.examples == [f"structure: level 0 span of epochs 1 to 1: {sentence}"]
    assert report.final_ram_compared


@pytest.mark.parametrize(
    ("guest", "sentence"),
    [
        ({}, "the description of the guest has no number of harts"),
        ({"harts": HUGE}, "the description of the guest has no number of harts"),
        ({"harts": True}, "the description of the guest has no number of harts"),
        ({"harts": 1}, "the description of the guest has no registers"),
        ({"harts": 1, "registers": ["x0"], "ram": []},
         "the description of the guest has no list of registers"),
        ({"harts": 1, "registers": [0] * 32, "ram": []},
         "the description of the guest has no list of registers"),
        ({"harts": 1, "registers": ["a"] * 32}, "the description of the guest has no ram"),
        ({"harts": 1, "registers": ["a"] * 32, "ram": [1]},
         "the description of the guest has RAM without start or size"),
        ({"harts": 1, "registers": ["a"] * 32, "ram": [{"start": 1, "size": 4096}]},
         "the description of the guest has RAM of 4096 bytes at 1"),
    ],
)  # fmt: skip
def test_a_guest_without_its_fields_is_no_trace(
    altered: Altered, tmp_path: Path, guest: dict[str, Any], sentence: str
) -> None:
    altered.metadata["guest"] = guest
    with pytest.raises(TraceFormatError) as caught:
        verify_altered(altered, tmp_path)
    assert caught.value.problem == sentence


def test_a_missing_message_is_said(altered: Altered, tmp_path: Path) -> None:
    altered.parts.remove(altered.part("accesses", 1))
    report = verify_altered(altered, tmp_path)
    assert report.examples[0] == "structure: 2 epoch messages, 2 of writes and 1 of accesses"


def test_a_trace_that_was_cut_short_is_verified_as_far_as_it_goes(small: Path, tmp_path: Path) -> None:
    content = small.read_bytes()
    whole = 0
    for length in range(0, len(content), 41):
        cut = tmp_path / "cut.bin"
        cut.write_bytes(content[:length])
        try:
            report = verify(cut)
        except TraceFormatError:
            assert length < len(content) // 2
            continue
        assert report.passed, report.examples
        assert report.losses
        assert report.instructions in (0, 5, 10)
        assert not report.final_ram_compared
        whole = report.instructions
    assert whole == 10


@pytest.mark.parametrize("seed", range(60))
def test_random_columns_never_break_it(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    altered = Altered.of(write_with_end(Machine(seed % 5, 2).run(4, 6), tmp_path / "a.bin"))
    for _ in range(random.randint(1, 2)):
        part = random.choice(altered.parts)
        name = random.choice(list(part.columns))
        rows = part.columns[name]
        bits = random.choice([1, 3, 8, 8 * rows.itemsize])
        spoilt = [
            random.getrandbits(min(bits, 8 * rows.itemsize)) for _ in range(random.randint(0, 2 + len(rows)))
        ]
        part.columns[name] = np.array(spoilt, rows.dtype)
    report = verify(altered.write(tmp_path / "b.bin"))
    assert isinstance(report.passed, bool)
