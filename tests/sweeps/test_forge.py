"""A forged process is like one that its command starts: its folder, environment, words, output, end; and it is not left over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine.system import can_fork_late
from sweeps.child import Ended, run_child
from sweeps.forge import MODULES, Forged, Forges, popen
from tests.processes import is_alive, wait_until

pytestmark = [pytest.mark.posix, pytest.mark.skipif(not can_fork_late(), reason="nothing is forged on this system")]
ROOT = Path(__file__).parents[2]
TELLS = """
import os, sys
print(os.getcwd(), os.environ["WORD"], sys.argv[1:], __name__, len(sys.argv), os.getpgrp() == os.getpid())
print("wrong", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def forges() -> Iterator[Forges]:
    made = Forges(modules=())
    yield made
    made.close()


def script(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


def run(forges: Forges, folder: Path, text: str, *arguments: str, word: str = "one") -> Ended:
    command = [sys.executable, str(script(folder, text)), *arguments]
    return run_child(command, folder, {**os.environ, "WORD": word}, folder / "log", lambda: False, forges.start)


def parent_of(folder: Path) -> int:
    return int((folder / "log").read_text(encoding="utf-8"))


def test_job_has_its_folder_environment_words_output_and_exit_code(forges: Forges, tmp_path: Path) -> None:
    tells = script(tmp_path, TELLS)
    command = [sys.executable, str(tells), "3", "two words"]
    ended = run_child(command, tmp_path, {**os.environ, "WORD": "one"}, tmp_path / "log", lambda: False, forges.start)
    assert ended == Ended(3, False, None)
    assert (tmp_path / "log").read_text(encoding="utf-8") == f"{tmp_path} one ['3', 'two words'] __main__ 3 True\nwrong\n"


def test_jobs_of_one_environment_have_one_forge_and_another_environment_another(forges: Forges, tmp_path: Path) -> None:
    told = []
    for word in ("one", "one", "two"):
        assert run(forges, tmp_path, "import os; print(os.getppid(), os.environ['WORD'])", word=word).exit_code == 0
        told.append((tmp_path / "log").read_text(encoding="utf-8").split())
        (tmp_path / "log").unlink()
    (first, _), (second, _), (third, word) = told
    assert first == second != third
    assert word == "two"


def test_job_killed_for_memory_has_an_exit_code_of_its_own(forges: Forges, tmp_path: Path) -> None:
    assert run(forges, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)").exit_code == 137
    assert run(forges, tmp_path, "raise SystemExit(0)").exit_code == 0


def test_error_is_printed_as_of_any_script(forges: Forges, tmp_path: Path) -> None:
    assert run(forges, tmp_path, "1 / 0").exit_code == 1
    assert (tmp_path / "log").read_text(encoding="utf-8").endswith("ZeroDivisionError: division by zero\n")


def test_jobs_do_not_share_what_one_of_them_changed(forges: Forges, tmp_path: Path) -> None:
    for _ in range(2):
        run(forges, tmp_path, "import json, os; print(hasattr(json, 'mark')); json.mark = os.environ['NEW'] = 'x'")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "False\nFalse\n"


def test_lost_forge_is_replaced_and_its_job_told(forges: Forges, tmp_path: Path) -> None:
    assert run(
        forges, tmp_path, "import os, signal; os.kill(os.getppid(), signal.SIGKILL); import time; time.sleep(60)"
    ) == Ended(137, False, None)
    assert run(forges, tmp_path, "raise SystemExit(0)").exit_code == 0


def test_where_the_forge_cannot_start_the_command_does(tmp_path: Path) -> None:
    broken = Forges(modules=("no_such_module",))
    assert run(broken, tmp_path, "import os; print(os.getppid())").exit_code == 0
    assert parent_of(tmp_path) == os.getpid()
    broken.close()


def test_signal_reaches_the_job(forges: Forges, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output:
        command = [sys.executable, str(script(tmp_path, "print(flush=True)\nimport time; time.sleep(60)"))]
        forged = forges.start(command, tmp_path, os.environ, output)
    assert isinstance(forged, Forged)
    while not (tmp_path / "log").stat().st_size:
        time.sleep(0.01)
    assert forged.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        forged.wait(timeout=0.01)
    forged.send_signal(signal.SIGTERM)
    assert forged.wait(timeout=30) == forged.poll() == -signal.SIGTERM
    forged.send_signal(signal.SIGTERM)
    assert forged.stdin is not None
    forged.stdin.close()


def test_no_job_is_left_when_the_sweep_is_killed(tmp_path: Path) -> None:
    job = script(
        tmp_path,
        "import os, time\nfrom sweeps.child import end_with_parent\nend_with_parent()\n"
        "print(os.getpid(), os.getppid(), flush=True)\ntime.sleep(60)",
    )
    sweep = (
        "import os, sys; from pathlib import Path; from sweeps.child import run_child; from sweeps.forge import Forges; "
        f"run_child([sys.executable, {str(job)!r}], Path({str(tmp_path)!r}), {{**os.environ, 'PYTHONPATH': {str(ROOT)!r}}}, "
        f"Path({str(tmp_path / 'log')!r}), lambda: False, Forges(modules=()).start)"
    )
    parent = subprocess.Popen([sys.executable, "-c", sweep], cwd=ROOT)
    wait_until(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text(encoding="utf-8").endswith("\n"))
    family = [int(number) for number in (tmp_path / "log").read_text(encoding="utf-8").split()]
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(is_alive(process) for process in family))


def test_modules_of_the_forge_start_no_thread_and_ask_for_no_device() -> None:
    program = (
        "import importlib, sys, threading, torch\n"
        "def ask(*_): raise AssertionError('a device is asked for')\n"
        "torch.cuda.is_available = torch.cuda.device_count = ask\n"
        "[importlib.import_module(name) for name in sys.argv[1:]]\n"
        "print(threading.active_count(), torch.cuda.is_initialized())"
    )
    ended = subprocess.run([sys.executable, "-c", program, *MODULES], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout == "1 False\n", ended.stderr


def test_popen_starts_the_leader_of_a_group(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output:
        process = popen([sys.executable, "-c", "import os; print(os.getpgrp() == os.getpid())"], tmp_path, os.environ, output)
        assert process.wait() == 0
    assert process.stdin is not None
    process.stdin.close()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "True\n"
