"""A sweep over a cluster of Ray: a job whose worker or machine is lost goes on elsewhere, and its GPU may be a share of one."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from sweeps.ray_cluster import prepare_ray
from sweeps.records import read_job
from tests.processes import wait_until
from tests.sweeps.conftest import IN_A_JOB

Sweep = Callable[..., "subprocess.Popen[str]"]
EPOCHS = 12
ON_THIS_MACHINE = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
ON_THIS_MACHINE |= {"RAY_agent_register_timeout_ms": "100000", "RAY_worker_register_timeout_seconds": "300"}
ON_THIS_MACHINE |= {"RAY_raylet_start_wait_time_s": "200"}
MEETING = (
    IN_A_JOB
    + """
    import time
    from torch.optim.optimizer import register_optimizer_step_post_hook
    def meet(*_):
        first_step.remove()
        print("sees", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
        place, until = os.environ["MEETING"], time.monotonic() + 60
        open(os.path.join(place, str(os.getpid())), "w").close()
        while len(os.listdir(place)) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        print("together with", len(os.listdir(place)) - 1, flush=True)
    first_step = register_optimizer_step_post_hook(meet)
"""
)
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the sweeps extra")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Cluster:
    """Nodes of Ray on this machine, each with one processor and in a process group of its own; the first is the head."""

    folder: str
    port: int = field(default_factory=free_port)
    nodes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, *options: str, **variables: str) -> None:
        start = [f"--address={self.address}"]
        if not self.nodes:
            start = ["--head", f"--port={self.port}", f"--ray-client-server-port={free_port()}", f"--temp-dir={self.folder}"]
            start.append("--include-dashboard=false")
        shared = ["--block", "--node-ip-address=127.0.0.1", "--object-store-memory=80000000", *options]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *start, *shared]
        environment = {**os.environ, **ON_THIS_MACHINE, **variables}
        for attempt in range(3):  # Ray gives its parts half a minute to start, which a busy machine may not have
            log = Path(self.folder, f"node{len(self.nodes)}-{attempt}.log")
            with log.open("wb") as file:
                node = subprocess.Popen(
                    command, stdout=file, stderr=file, start_new_session=True, cwd=self.folder, env=environment
                )
            self.nodes.append(node)
            wait_until(lambda: b"Ray runtime started" in log.read_bytes() or node.poll() is not None, seconds=400)  # noqa: B023
            if node.poll() is None:
                return
            end_node(self.nodes.pop())
        pytest.fail(log.read_text(encoding="utf-8"))

    def end(self) -> None:
        for node in reversed(self.nodes):
            end_node(node)


def end_node(node: "subprocess.Popen[bytes]") -> None:
    node.terminate()
    with suppress(subprocess.TimeoutExpired):
        node.wait(timeout=20)
    with suppress(ProcessLookupError):
        os.killpg(node.pid, signal.SIGKILL)
    node.wait()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # names of sockets have to be short
        cluster = Cluster(folder)
        try:
            yield cluster
        finally:
            cluster.end()


def worker_of(job: Path) -> int:
    return int(json.loads((job / "attempt.json").read_text(encoding="utf-8"))["worker"].split()[-1])


def node_of(worker: int) -> int:
    """Return the process group of the node that a worker belongs to."""
    parent = subprocess.run(["ps", "-o", "ppid=", "-p", str(worker)], capture_output=True, text=True, check=True).stdout
    return os.getpgid(int(parent))


def epochs_of(job: Path) -> list[int]:
    return [json.loads(line)["epoch"] for line in (job / "epochs.jsonl").read_text(encoding="utf-8").splitlines()]


@needs_ray
@pytest.mark.slow
@pytest.mark.posix
def test_jobs_of_a_lost_process_and_of_a_lost_machine_go_on_elsewhere(
    start_sweep: Sweep, cluster: Cluster, tmp_path: Path
) -> None:
    for _ in range(2):
        cluster.add("--num-cpus=1")
    launcher = ["hydra/launcher=ray", f"+hydra.launcher.ray.init.address={cluster.address}"]
    settings = [f"trainer.max_epochs={EPOCHS}", "model.optimizer.lr=1e-3,2e-3", "rerun=true"]
    process = start_sweep(tmp_path, *launcher, *settings, **ON_THIS_MACHINE)
    jobs = [tmp_path / name for name in "01"]
    wait_until(lambda: all((job / "checkpoints" / "last.ckpt").is_file() for job in jobs), seconds=400)
    workers = [worker_of(job) for job in jobs]
    nodes = [node_of(worker) for worker in workers]
    on_head = nodes.index(cluster.nodes[0].pid)
    os.kill(workers[on_head], signal.SIGKILL)
    os.killpg(nodes[1 - on_head], signal.SIGKILL)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert [path.name for path in sorted(tmp_path.iterdir()) if path.is_dir()] == ["0", "1"]
    for job, worker in zip(jobs, workers, strict=True):
        told = {line.partition(") ")[2] for line in output.splitlines() if f"process {worker}) is gone" in line}
        (line,) = told
        assert line.startswith(f"job {job.name}: its worker (") and line.endswith("goes on from its last checkpoint")
        assert worker_of(job) != worker
        assert read_job(job).status == "finished"
        assert epochs_of(job) == list(range(EPOCHS)), "the job started over, or lost an epoch"
        (name,) = (word for word in read_job(job).command if word.startswith("run_name="))
        assert " lr=0.00" in name and "sample_rate" not in name, "the name does not tell the jobs apart"


@needs_ray
@pytest.mark.slow
@pytest.mark.posix
def test_two_jobs_share_a_gpu_at_the_same_time(start_sweep: Sweep, cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(MEETING, encoding="utf-8")
    (tmp_path / "meeting").mkdir()
    cluster.add("--num-cpus=2", "--num-gpus=1", PYTHONPATH=str(tmp_path))
    launcher = ["hydra/launcher=ray", f"+hydra.launcher.ray.init.address={cluster.address}"]
    launcher.append(f"+hydra.launcher.ray.init.runtime_env.env_vars.MEETING={tmp_path / 'meeting'}")
    sweep, share = tmp_path / "sweep", "+hydra.launcher.ray.remote.num_gpus=0.5"
    process = start_sweep(sweep, *launcher, share, "model.optimizer.lr=1e-3,2e-3", **ON_THIS_MACHINE)
    output, _ = process.communicate(timeout=600)
    assert "2 jobs, 2 with a result" in output, output
    logs = [(sweep / name / "output.log").read_text(encoding="utf-8").splitlines() for name in "01"]
    said = [[line for line in lines if line.startswith(("sees", "together"))] for lines in logs]
    assert said == [["sees 0", "together with 1"]] * 2


def test_address_where_nobody_listens_is_told_with_its_key() -> None:
    address = f"127.0.0.1:{free_port()}"
    launcher = {"ray": {"init": {"address": address}, "remote": {}}}
    config = OmegaConf.create({"hydra": {"launcher": launcher, "overrides": {"hydra": []}}})
    with pytest.raises(SystemExit, match=f"^error: hydra.launcher.ray.init.address={address}: nobody listens there"):
        prepare_ray(config)


def test_how_often_a_job_may_lose_its_worker_is_not_left_to_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = {"ray": {"init": {"address": None}, "remote": {}}}
    config = OmegaConf.create({"hydra": {"launcher": launcher, "overrides": {"hydra": []}}})
    prepare_ray(config)
    assert config.hydra.launcher.ray.remote.max_retries == -1
    assert config.hydra.overrides.hydra == ["+hydra.launcher.ray.remote.max_retries=-1"]
    config = OmegaConf.create({"hydra": {"launcher": {"ray": {"init": {}, "remote": {"max_retries": 2}}}}})
    prepare_ray(config)
    assert config.hydra.launcher.ray.remote.max_retries == 2
