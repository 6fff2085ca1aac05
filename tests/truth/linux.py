"""Makes the Linux guests: Debian's kernel with an init of our own, and with a busybox shell on a disk."""

import lzma
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.truth import cpio
from tests.truth.disk import make_disk
from tests.truth.packages import Apt, read_members

SOURCES = Path(__file__).parent / "guest"
MODULES = ("crc32c_generic", "crc16", "mbcache", "jbd2", "ext4", "virtio_blk")
"""What the kernel package keeps outside the kernel and the shell's disk needs, in loading order."""
_MARK = "complete"


@dataclass(frozen=True)
class Linux:
    """The files of the Linux guests."""

    kernel: Path
    init: Path
    """The archive with our own init."""
    shell: Path
    """The archive that mounts the disk and starts its script."""
    disk: Path

    def command(self, harts: int, *, shell: bool = False, memory: str = "256M") -> list[str]:
        """The QEMU command line that boots one of the guests."""
        words = ["qemu-system-riscv64", "-machine", "virt", "-m", memory, "-smp", str(harts), "-nographic"]
        words += ["-no-reboot", "-kernel", str(self.kernel), "-append", "console=ttyS0 panic=-1"]
        words += ["-initrd", str(self.shell if shell else self.init)]
        if shell:
            words += ["-drive", f"file={self.disk},format=raw,if=none,id=disk,snapshot=on"]
            words += ["-device", "virtio-blk-pci,drive=disk"]
        return words


def cache_home() -> Path:
    """Where programs keep what they can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def make_linux(cache: Path) -> Linux:
    """The guests' files; packages are fetched when ``cache`` does not hold them yet."""
    parts = cache / "tracedbg-guests" / "linux-parts"
    if not (parts / _MARK).exists():
        _fetch(parts)
    folder = parts.with_name("linux")
    folder.mkdir(exist_ok=True)
    guests = Linux(parts / "Image", folder / "init.cpio", folder / "shell.cpio", folder / "disk.img")
    guests.init.write_bytes(_with_init(_compile(SOURCES / "init.c", folder / "init")))
    guests.shell.write_bytes(_with_shell(parts))
    make_disk(guests.disk, parts / "busybox", SOURCES / "commands.sh")
    return guests


def _fetch(parts: Path) -> None:
    """Takes out of Debian's packages what the guests are made of."""
    shutil.rmtree(parts, ignore_errors=True)
    apt = Apt.prepare(parts / "apt")
    kernel = next(name for name in apt.needs("linux-image-riscv64") if name.startswith("linux-image-"))
    image, busybox = apt.fetch(kernel, "busybox-static")
    for name, data in read_members(image, _is_kernel_part):
        if name.startswith("boot/"):
            (parts / "Image").write_bytes(data)
        else:
            module = parts / f"{_module(name)}.ko"
            module.write_bytes(lzma.decompress(data) if name.endswith(".xz") else data)
            subprocess.run(["riscv64-linux-gnu-strip", "--strip-unneeded", str(module)], check=True)
    for _, data in read_members(busybox, lambda name: name.endswith("bin/busybox")):
        (parts / "busybox").write_bytes(data)
    shutil.rmtree(apt.folder)
    (parts / _MARK).touch()


def _is_kernel_part(name: str) -> bool:
    return name.startswith(("boot/vmlinu", "boot/Image")) or (".ko" in name and _module(name) in MODULES)


def _module(name: str) -> str:
    return Path(name).name.partition(".ko")[0].replace("-", "_")


def _compile(source: Path, program: Path) -> bytes:
    warnings = ["-Wall", "-Wextra", "-Werror"]
    words = ["riscv64-linux-gnu-gcc", "-O2", "-static", "-s", *warnings, "-o", str(program), str(source)]
    subprocess.run(words, check=True)
    return program.read_bytes()


def _with_init(init: bytes) -> bytes:
    console = cpio.character_device("dev/console", 5, 1)
    return cpio.archive([cpio.folder("dev"), console, cpio.program("init", init)])


def _with_shell(parts: Path) -> bytes:
    modules = [cpio.program(f"modules/{name}.ko", (parts / f"{name}.ko").read_bytes()) for name in MODULES]
    start = (SOURCES / "mount.sh").read_text().replace("@MODULES@", " ".join(MODULES))
    folders = [cpio.folder(name) for name in ("bin", "dev", "disk", "modules")]
    console = cpio.character_device("dev/console", 5, 1)
    busybox = cpio.program("bin/busybox", (parts / "busybox").read_bytes())
    return cpio.archive([*folders, console, busybox, *modules, cpio.program("init", start.encode())])
