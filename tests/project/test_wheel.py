"""The wheel is whole: it holds the recorder's sources, no traces, and works where it is installed."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tracedbg import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_plugin_source(names: set[str]) -> None:
    sources = {path.relative_to(ROOT / "plugins") for path in (ROOT / "plugins").rglob("*.[chS]")}
    assert {name for name in names if name.endswith((".c", ".h", ".S"))} == {
        f"tracedbg/_plugins/{source}" for source in sources
    }
    assert sources


def test_the_wheel_holds_the_package_and_both_licenses(names: set[str]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "tracedbg").rglob("*.py")}
    assert modules <= names
    information = f"tracedbg-{__version__}.dist-info"
    assert {f"{information}/licenses/LICENSE", f"{information}/licenses/plugins/qemu/LICENSE"} <= names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"tracedbg", f"tracedbg-{__version__}.dist-info"}
    assert not {name for name in names if name.endswith((".bin", ".so", ".pyc"))}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a virtual environment with the wheel and this environment's libraries."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    [packages] = folder.glob("lib/python*/site-packages")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder),
        "install",
        "--quiet",
        "--no-deps",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    own = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "libraries.pth").write_text("\n".join(own) + "\n")
    return folder / "bin"


@pytest.mark.slow
def test_the_installed_command_runs_the_installed_package(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "tracedbg"), "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout == f"tracedbg {__version__}\n"
    probe = "import tracedbg, pathlib; print(pathlib.Path(tracedbg.__file__).parent)"
    found = subprocess.run(
        [str(installed / "python"), "-c", probe], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    package = Path(found.stdout.strip())
    assert package.is_relative_to(installed.parent)
    assert (package / "_plugins/qemu").is_dir()
