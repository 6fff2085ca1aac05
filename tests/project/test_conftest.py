"""The promises of tests/conftest.py, kept by running small test files in a pytest of their own."""

import shutil
from pathlib import Path

import pytest

from tests.processes import is_running

ROOT = Path(__file__).parents[2]

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with this one's conftest and nothing else."""
    folder = pytester.mkdir("tests")
    for name in ("conftest.py", "processes.py"):
        shutil.copy(ROOT / "tests" / name, folder / name)
    # The conftest names a plugin, which needs nothing here.
    (folder / "kernels").mkdir()
    (folder / "kernels/recordings.py").touch()
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
    return pytester


def write_test(project: pytest.Pytester, text: str) -> None:
    (project.path / "tests/test_it.py").write_text(text)


def test_a_process_left_behind_is_ended_and_told(project: pytest.Pytester) -> None:
    write_test(
        project,
        "import subprocess\n"
        "def test_leaves_an_orphan():\n"
        "    subprocess.run('sleep 600 & echo $! > orphan', shell=True, check=True)\n",
    )
    result = project.runpytest_subprocess("-p", "no:xdist")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*left running by this test: sleep 600*"])
    assert not is_running(int((project.path / "orphan").read_text()))


def test_the_home_and_cache_are_not_the_users(project: pytest.Pytester) -> None:
    write_test(
        project,
        "import os\n"
        "from pathlib import Path\n"
        "def test_home(cache_folder):\n"
        f"    assert Path.home() != Path({str(Path.home())!r})\n"
        "    assert os.environ['XDG_CACHE_HOME'] == str(cache_folder)\n",
    )
    project.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=1)


SKIPS = "import pytest\ndef test_skips():\n    pytest.skip('no such tool')\n"
MODULE_SKIPS = "import pytest\npytest.skip('no such tool', allow_module_level=True)\n"
EXPECTED = "import pytest\n@pytest.mark.xfail\ndef test_fails():\n    assert False\n"


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_skip_fails_where_skips_are_not_allowed(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    write_test(project, SKIPS)
    project.runpytest_subprocess(*workers).assert_outcomes(skipped=1)
    result = project.runpytest_subprocess("--fail-skipped", *workers)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*skipped, which this run does not allow: *no such tool*"])


def test_a_skipped_module_fails_where_skips_are_not_allowed(project: pytest.Pytester) -> None:
    write_test(project, MODULE_SKIPS)
    result = project.runpytest_subprocess("--fail-skipped")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_an_expected_failure_is_no_skip(project: pytest.Pytester) -> None:
    write_test(project, EXPECTED)
    project.runpytest_subprocess("--fail-skipped").assert_outcomes(xfailed=1)
