"""Builds and QEMUs that tests of captures share."""

from pathlib import Path

import pytest

from scripts.old_qemu import is_offered, old_qemu
from tests.guests.test_futex_stack import build
from tests.state.runs import build_guest

INSTALLED = "qemu-system-riscv64"
QEMUS = ("installed", "7.2") if is_offered() else ("installed",)


@pytest.fixture(params=QEMUS)
def qemu(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> list[str]:
    """The command of each QEMU that is to be attached to."""
    if request.param == "installed":
        return [INSTALLED]
    return old_qemu(old_qemu_folder(pytestconfig))


def old_qemu_folder(pytestconfig: pytest.Config) -> Path:
    """Where the old QEMU is unpacked, once for all runs of the tests."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("qemu-7.2")


@pytest.fixture(scope="session")
def buggy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel with the overflowing stack."""
    return build(tmp_path_factory.mktemp("futex") / "buggy", "VARIANT=buggy")


@pytest.fixture(scope="session")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel without the bug."""
    return build(tmp_path_factory.mktemp("futex") / "fixed", "VARIANT=fixed")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel that takes timer interrupts."""
    kernel = tmp_path_factory.mktemp("small") / "kernel.elf"
    build_guest(kernel, interval=2000)
    return kernel
