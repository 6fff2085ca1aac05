"""Compiles the C of ``plugins/qemu`` on first use, and keeps what came out in the user's cache folder."""

import atexit
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path
from typing import Literal

from tracedbg.errors import RecordError

FLAGS = ("-O2", "-g", "-std=gnu11", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")

Product = Literal["recorder", "fold"]
"""``recorder`` is the QEMU plugin, ``fold`` a library that the host loads; each has a folder of sources."""


def sources_dir() -> Path:
    """Return ``plugins/qemu``: inside the installed package, else in the source tree around it."""
    package = Path(str(resources.files("tracedbg")))
    installed = package / "_plugins" / "qemu"
    return installed if installed.is_dir() else package.parent / "plugins" / "qemu"


def build(sources: Path, name: Product) -> Path:
    """Return the shared library made of ``sources/NAME/*.c``, compiled now unless the cache has it.

    The cache key is the content of these files and of the headers there and in ``sources``, the flags and the
    compiler's version. RecordError when there is no compiler, or with its first error.
    """
    files = sorted((sources / name).glob("*.c"))
    if not files:
        raise RecordError(f"{sources / name}: no C sources here; install tracedbg again")
    compiler = compiler_command()
    headers = sorted([*sources.glob("*.h"), *(sources / name).glob("*.h")])
    key = _key([*files, *headers], sources, compiler_version(compiler))
    product = cache_folder() / f"{name}-{key}.so"
    if not product.exists():
        _compile([*compiler, *FLAGS, f"-I{sources}", *map(str, files)], product)
    return product


def compiler_command() -> list[str]:
    """Return the C compiler's words: ``$CC``, else ``cc``; RecordError when there is none."""
    words = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(words[0]) is None:
        raise RecordError(
            f"no C compiler ({words[0]}): recording compiles a QEMU plugin on first use;"
            " install one (Debian and Ubuntu: apt install gcc libc6-dev), or set CC"
        )
    return words


def compiler_version(compiler: list[str]) -> str:
    """Return the first line that the compiler's ``--version`` prints."""
    done = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["unknown version"])[0]


def cache_folder() -> Path:
    """Return ``$XDG_CACHE_HOME/tracedbg`` (``~/.cache/tracedbg``), or a private one if that is read-only."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if home.startswith("/") else Path("~/.cache").expanduser()
    folder = base / "tracedbg"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return _temporary_folder()
    return folder if os.access(folder, os.W_OK | os.X_OK) else _temporary_folder()


@functools.cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tracedbg-cache-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _key(files: list[Path], base: Path, version: str) -> str:
    digest = hashlib.sha256("\0".join([version, *FLAGS]).encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(base)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:24]


def _compile(command: list[str], product: Path) -> None:
    """Compile beside the product and rename: another tracedbg may be doing the same, or load it already."""
    log = product.with_suffix(".log")
    with tempfile.TemporaryDirectory(prefix=".build-", dir=product.parent) as folder:
        made = Path(folder) / product.name
        done = subprocess.run([*command, "-o", str(made)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            log.write_text(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
            raise RecordError(
                f"{product.stem}: cannot be compiled: {_first_error(done.stderr)} (all of it: {log})"
            )
        made.replace(product)


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or ["the compiler says nothing"])[0]
