"""The guest in the variants that compilers make of it."""

from pathlib import Path

import pytest

from tests.symbols.oracles import build_guest

VARIANTS = {
    "O0-dwarf4": ("-O0", "-gdwarf-4"),
    "O0-dwarf5": ("-O0", "-gdwarf-5"),
    "O2-dwarf4": ("-O2", "-gdwarf-4"),
    "O2-dwarf5": ("-O2", "-gdwarf-5"),
    "O2-dwarf5-gc": ("-O2", "-gdwarf-5", "-ffunction-sections", "-Wl,--gc-sections"),
    "O2-dwarf4-gc": ("-O2", "-gdwarf-4", "-ffunction-sections", "-Wl,--gc-sections"),
    "Os-zlib": ("-Os", "-gdwarf-5", "-gz=zlib"),
    "O2-eh-frame": ("-O2", "-gdwarf-5", "-fasynchronous-unwind-tables", "-fno-omit-frame-pointer"),
    "O3-dwarf5": ("-O3", "-gdwarf-5"),
}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every variant of the guest, by name."""
    folder = tmp_path_factory.mktemp("guests")
    return {name: build_guest(folder / f"{name}.elf", *options) for name, options in VARIANTS.items()}


@pytest.fixture(params=VARIANTS)
def guest(request: pytest.FixtureRequest, built: dict[str, Path]) -> Path:
    """One variant after the other."""
    return built[str(request.param)]


@pytest.fixture(scope="session")
def plain_guest(built: dict[str, Path]) -> Path:
    """The -O0 DWARF 5 guest, where nothing is moved or inlined but what the source says."""
    return built["O0-dwarf5"]


@pytest.fixture(scope="session")
def uboot() -> Path:
    """Debian's U-Boot: a real image without .symtab and debug sections (package u-boot-qemu)."""
    return Path("/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf")
