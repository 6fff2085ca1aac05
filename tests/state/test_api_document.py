"""The examples of docs/api.md run as they stand."""

import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.mark.slow
def test_every_example_runs(
    guest_path: Path, guest_elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trace.bin").symlink_to(guest_path)
    (tmp_path / "kernel.elf").symlink_to(guest_elf)
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(examples) > 6
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(DOCUMENT), "exec"), names)
    names["trace"].close()  # type: ignore[attr-defined]
