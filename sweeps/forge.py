"""A process that has imported what jobs need and forks each of them: a job then starts in tenths of a second.

Importing PyTorch and Lightning takes a core for seconds, as much as a short training. The forge imports and computes nothing, so
that its children have no thread, no device and no random number in common; each is a process like one started by its command. A
system that cannot do that starts commands as ever.
"""

import atexit
import gc
import importlib
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from setproctitle import setproctitle

from machine.system import KILLED, Process, can_fork_late, fork_group, own_group, tell

ROOT = Path(__file__).parent.parent
MODULES = ("lightning_modules.commands.train", "lightning_modules.commands.evaluate", "conf.settings")
"""What `train.py` and `evaluate.py` need."""
PROGRAM = """
import runpy, sys
sys.path[0] = sys.argv[1]
from sweeps.forge import serve
if serve(int(sys.argv[2]), sys.argv[3:]):
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Of the forge: in a child it goes on as the script that the child is to run."""
NO_DEVICE = "PYTORCH_NVML_BASED_CUDA_CHECK"
"""Set, PyTorch looks for devices without starting their driver, which would be of no use to a forked process."""
LONGEST = 2**20
"""Bytes of the longest command that is taken, more than a socket lets through at once."""
LOST = 128 + KILLED
"""Exit code told of a job whose forge was killed."""


class Forged:
    """A job that a forge has forked, with what a `subprocess.Popen` offers.

    Args:
        channel: to its forge, which says at the end how it ended.
        pid: of the process, the leader of its group.
        stdin: the other end of its standard input.
    """

    def __init__(self, channel: socket.socket, pid: int, stdin: IO[bytes]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self.returncode: int | None = None
        self._channel = channel

    def poll(self) -> int | None:
        """Return the exit code, -n after signal n; None as long as the process runs."""
        if self.returncode is None and select.select([self._channel], [], [], 0)[0]:
            self.returncode = self._told()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: the process runs on after so many seconds.
        """
        if self.returncode is None:
            if not select.select([self._channel], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0)
            self.returncode = self._told()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            tell(self.pid, number)

    def _told(self) -> int:
        told = _received(self._channel)
        return LOST if told is None else told


class Forge:
    """Forks jobs that have one environment, one after the other.

    Args:
        environment: of the jobs.
        folder: that they run in.
        modules: that they need.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path, modules: Sequence[str]) -> None:
        self.kind = (dict(environment), folder)
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(ROOT), str(other.fileno()), *modules],
            cwd=folder,
            env={**environment, NO_DEVICE: "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[other.fileno()],
            **own_group(),
        )
        other.close()

    def start(self, command: Sequence[str], output: IO[bytes]) -> Forged | None:
        """Fork a job; None if the forge is lost.

        Args:
            command: the path of a script, and its arguments.
            output: takes what the job prints.
        """
        ours, its = os.pipe()[::-1]
        try:
            socket.send_fds(self._channel, [_message(list(command))], [its, output.fileno()])
            told = _received(self._channel)
        except OSError:
            told = None
        finally:
            os.close(its)
        if told is None:
            os.close(ours)
            return None
        return Forged(self._channel, told, os.fdopen(ours, "wb", buffering=0))

    def close(self) -> None:
        """End the forge; jobs that it forked have ended."""
        self._channel.close()
        self._process.wait()


class Forges:
    """The forge of a process that runs jobs one after the other; another one as soon as their environment changes.

    Args:
        modules: that the forge imports.
    """

    def __init__(self, modules: Sequence[str] = MODULES) -> None:
        self._modules = modules
        self._forge: Forge | None = None
        atexit.register(self.close)

    def start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: IO[bytes]) -> Process:
        """Start a Python script as the leader of a process group, its standard input a pipe.

        Args:
            command: the interpreter, the script, and its arguments.
            folder: to run it in.
            environment: of the process.
            output: takes what it prints.

        Returns:
            A `Forged`; a `subprocess.Popen` where nothing can be forged.
        """
        if can_fork_late():
            if self._forge is None or self._forge.kind != (dict(environment), folder):
                self.close()
                self._forge = Forge(environment, folder, self._modules)
            if (forged := self._forge.start(command[1:], output)) is not None:
                return forged
            self.close()
        return popen(command, folder, environment, output)

    def close(self) -> None:
        """End the forge, if there is one."""
        if self._forge is not None:
            self._forge.close()
            self._forge = None


def popen(command: Sequence[str], folder: Path, environment: Mapping[str, str], output: IO[bytes]) -> Process:
    """Start a command as the leader of a process group, its standard input a pipe; see `Forges.start`."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        **own_group(),
    )


def _message(content: int | list[str]) -> bytes:
    return json.dumps(content).encode()


def _received(channel: socket.socket) -> int | None:
    """Return a number that the forge tells; None if it is lost."""
    told = channel.recv(100)
    return int(json.loads(told)) if told else None


def serve(descriptor: int, modules: Sequence[str]) -> bool:
    """Fork a child for each command that comes through a socket; return True in a child, False at the end of the socket.

    A child has the command as `sys.argv`, and the two files that came with it as its standard input and outputs.
    """
    for name in modules:
        importlib.import_module(name)
    gc.freeze()
    channel = socket.socket(fileno=descriptor)
    while (order := _order(channel)) is not None:
        command, files = order
        child = fork_group()
        if child == 0:
            channel.close()
            _become(command, files)
            return True
        for file in files:
            os.close(file)
        channel.send(_message(child))
        channel.send(_message(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    return False


def _order(channel: socket.socket) -> tuple[list[str], list[int]] | None:
    """Return the next command and its files; None at the end of the socket."""
    message, files, _, _ = socket.recv_fds(channel, LONGEST, 2)
    return (json.loads(message), files) if message else None


def _become(command: list[str], files: Sequence[int]) -> None:
    """Take the place of a command's own process."""
    for file, places in zip(files, ((0,), (1, 2)), strict=True):
        for place in places:
            os.dup2(file, place)
        os.close(file)
    sys.argv, sys.orig_argv = command, [sys.executable, *command]
    setproctitle(" ".join(sys.orig_argv))
    sys.path[0] = str(Path(command[0]).parent)
