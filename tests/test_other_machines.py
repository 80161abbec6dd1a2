"""What other machines lack is taken away, or done by their way: modules, calls and signals of POSIX systems, forked workers."""

import ast
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.compose import create
from conf.settings import TrainSettings

ROOT = Path(__file__).parent.parent
PACKAGES = ("conf", "datamodules", "lightning_modules", "machine", "models", "sweeps")


def words(text: str) -> list[str]:
    return text.split()


MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty")
CALLS = words(
    "chown fork forkpty getegid geteuid getgid getloadavg getpgid getpgrp getsid getuid kill killpg lockf mkfifo mknod "
    "nice pathconf posix_fadvise posix_fallocate pread preadv pwrite register_at_fork sched_getaffinity sched_setaffinity "
    "sendfile setpgid setpgrp setsid statvfs sync sysconf uname wait wait3 wait4 waitid"
)
FLAGS = words("O_CLOEXEC O_DIRECTORY O_DSYNC O_NOCTTY O_NOFOLLOW O_NONBLOCK O_SYNC P_PID WEXITED WNOHANG WNOWAIT")
SIGNALS = words(
    "SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIG_BLOCK SIG_UNBLOCK alarm "
    "getitimer pause pthread_kill pthread_sigmask setitimer sigpending sigtimedwait sigwait sigwaitinfo"
)
WITHOUT = f"""
import builtins, importlib, os, signal, sys
from pathlib import Path
from types import ModuleType

def poorer(module, names):
    copy = ModuleType(module.__name__)
    vars(copy).update({{name: value for name, value in vars(module).items() if name not in names}})
    return copy

original, here = builtins.__import__, os.getcwd() + os.sep
instead = {{"os": poorer(os, {[*CALLS, *FLAGS]}), "signal": poorer(signal, {SIGNALS})}}

def imported(name, globals=None, locals=None, fromlist=(), level=0):
    file = str((globals or {{}}).get("__file__"))
    ours = file.startswith(here) and "site-packages" not in file
    if ours and name in {MODULES}:
        raise ModuleNotFoundError("No module named " + name)
    return (ours and instead.get(name)) or original(name, globals, locals, fromlist, level)

builtins.__import__ = imported
"""
"""Takes away, from the files of the folder that it is run in but for packages installed there, what Windows lacks."""
PROGRAM = """
for package in sys.argv.pop(1).split():
    for path in sorted(Path(package).rglob("*.py")):
        if path.name != "__main__.py" and "optuna" not in path.name:
            importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
import train
from machine import system
print("groups:", system.has_groups(), "memory:", system.peak_memory_mib())
train.main()
"""
COLLECTION = """
import pytest
sys.path.append("benchmarks")
ended = pytest.main(["--collect-only", "-qq", "-W", "ignore::pytest.PytestAssertRewriteWarning", "tests"])
for path in sorted(Path("benchmarks").rglob("*.py")):
    importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
sys.exit(ended)
"""
ONLY_POSIX = {
    "machine/system.py",
    "benchmarks/scale.py",
    "benchmarks/robustness/tally.py",
    "benchmarks/robustness/damage.py",
    "benchmarks/robustness/killed.py",
}
"""May name what Windows lacks: the first has another way for it, the others are for Linux, and say so."""


def test_modules_are_imported_and_a_training_ends_without_what_posix_systems_have(tiny: list[str], tmp_path: Path) -> None:
    small = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]
    run = ["trainer=smoke", "logger=csv", "baselines=[]", "examples=1", f"hydra.run.dir={tmp_path / 'run'}"]
    command = [sys.executable, "-c", WITHOUT + PROGRAM, " ".join(PACKAGES), *tiny, *small, *run]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = ended.stdout.decode(errors="replace")
    assert ended.returncode == 0, told
    assert told.startswith("groups: False memory: nan\n")
    assert (tmp_path / "run" / "result.json").exists()


@pytest.mark.slow
def test_tests_and_benchmarks_are_imported_without_what_posix_systems_have() -> None:
    command = [sys.executable, "-c", WITHOUT + COLLECTION]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert ended.returncode == 0, ended.stdout.decode(errors="replace")[-3000:]


@pytest.fixture
def start_method() -> Iterator[Callable[[str], None]]:
    """Return a function that sets how processes start; what it was before returns."""
    before = multiprocessing.get_start_method()
    yield lambda name: multiprocessing.set_start_method(name, force=True)
    multiprocessing.set_start_method(before, force=True)


@pytest.mark.parametrize("name", [name for name in ("spawn", "forkserver") if name in multiprocessing.get_all_start_methods()])
def test_workers_that_are_not_forked_give_the_same_batches(
    train_config: Callable[..., TrainSettings], start_method: Callable[[str], None], name: str
) -> None:
    start_method(name)
    alone, helped = (first_batches(train_config(f"data.num_workers={count}")) for count in (0, 1))
    torch.testing.assert_close(helped, alone, rtol=0, atol=0)


def first_batches(settings: TrainSettings) -> list[dict[str, Any]]:
    """Return the first training windows and the first validation pairs, which the workers corrupt."""
    data = create(settings.config, "data")
    data.setup("fit")
    return [next(iter(loader)) for loader in (data.train_dataloader(), data.val_dataloader())]


def named(path: Path) -> set[str]:
    """Return what a file imports and which attributes of `os` and `signal` it names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


def test_what_windows_lacks_is_named_in_one_file() -> None:
    lacking = {*MODULES, *(f"os.{name}" for name in (*CALLS, *FLAGS)), *(f"signal.{name}" for name in SIGNALS)}
    files = [*ROOT.glob("*.py"), *(path for room in (*PACKAGES, "benchmarks") for path in (ROOT / room).rglob("*.py"))]
    naming = {path.relative_to(ROOT).as_posix(): named(path) & lacking for path in files}
    assert {path: names for path, names in naming.items() if names and path not in ONLY_POSIX} == {}
    assert naming["machine/system.py"] >= {"os.killpg", "os.sched_getaffinity", "os.wait4", "resource"}
