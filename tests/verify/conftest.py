"""The small trace, whole and taken apart."""

from pathlib import Path

import pytest

from tests.verify.alteration import Altered
from tests.verify.small import small_history, write_with_end


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_with_end(small_history(), tmp_path / "small.bin")


@pytest.fixture
def altered(small: Path) -> Altered:
    return Altered.of(small)
