"""Real processes: what they say and how they end is known, and none survives the process that started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.child import Ended, run_child
from tests.processes import is_alive, wait_until

pytestmark = pytest.mark.posix
ROOT = Path(__file__).parents[2]
FAMILY = """
import os, signal, subprocess, sys, time
from sweeps.child import end_with_parent
end_with_parent()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts the tests in the background ignores it
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), other.pid, flush=True)
time.sleep(60)
"""
PARENT = """
import os, sys
from pathlib import Path
from sweeps.child import run_child
folder = Path(sys.argv[1])
ended = run_child([sys.executable, "-c", sys.argv[2]], Path.cwd(), os.environ, folder / "log", lambda: False)
(folder / "ended").write_text(repr(ended))
"""


def never() -> bool:
    return False


def run(program: str, folder: Path, should_prune: Callable[[], bool] = never) -> Ended:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return run_child([sys.executable, "-c", program], folder, environment, folder / "log", should_prune)


def parent_of(program: str, folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start a process that starts a family; return it, and the family once it is there."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder), program], cwd=ROOT)
    wait_until(lambda: (folder / "log").exists() and (folder / "log").read_text(encoding="utf-8").endswith("\n"))
    return parent, [int(number) for number in (folder / "log").read_text(encoding="utf-8").split()]


def test_output_and_exit_code_are_kept(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n", encoding="utf-8")
    program = "import os, sys; print(os.getcwd()); print('wrong', file=sys.stderr); sys.exit(3)"
    assert run(program, tmp_path) == Ended(3, False, None)
    assert (tmp_path / "log").read_text(encoding="utf-8") == f"before\n{tmp_path}\nwrong\n"


def test_process_killed_for_memory_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path).exit_code == 137


def test_hopeless_process_is_asked_to_end(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)); print(flush=True); time.sleep(60)"
    )
    assert run(program, tmp_path, lambda: (tmp_path / "log").stat().st_size > 0) == Ended(143, True, None)


def test_nothing_is_left_when_the_leader_ends(tmp_path: Path) -> None:
    program = FAMILY.replace("time.sleep(60)\n", "")
    run(program, tmp_path)
    leader, other = (int(number) for number in (tmp_path / "log").read_text(encoding="utf-8").split())
    wait_until(lambda: not is_alive(leader) and not is_alive(other))


def test_nothing_survives_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent, family = parent_of(FAMILY, tmp_path)
    assert all(is_alive(process) for process in family)
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(is_alive(process) for process in family), 5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_is_passed_on_and_told(tmp_path: Path, number: signal.Signals) -> None:
    parent, family = parent_of(FAMILY, tmp_path)
    parent.send_signal(number)
    parent.wait(timeout=10)
    assert f"signal={int(number)}" in (tmp_path / "ended").read_text(encoding="utf-8")
    wait_until(lambda: not any(is_alive(process) for process in family), 5)


def test_second_signal_ends_a_process_that_does_not_listen(tmp_path: Path) -> None:
    deaf = "import signal; signal.default_int_handler = signal.SIG_IGN\n" + FAMILY
    parent, family = parent_of(deaf, tmp_path)
    parent.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert is_alive(family[0])
    parent.send_signal(signal.SIGINT)
    parent.wait(timeout=10)
    assert "exit_code=137" in (tmp_path / "ended").read_text(encoding="utf-8")
    wait_until(lambda: not any(is_alive(process) for process in family), 5)
