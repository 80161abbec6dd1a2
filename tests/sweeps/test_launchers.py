"""Jobs side by side: by Ray on this machine, and by submitit as on a Slurm cluster."""

import json
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from sweeps.records import read_job
from tests.sweeps.conftest import IN_A_JOB

Sweep = Callable[..., "subprocess.Popen[str]"]
pytestmark = pytest.mark.slow
SPY = (
    IN_A_JOB
    + """    from torch.optim.optimizer import register_optimizer_step_post_hook
    def note(*_):
        print("sees", os.environ["CUDA_VISIBLE_DEVICES"], "threads", os.environ["OMP_NUM_THREADS"], flush=True)
    register_optimizer_step_post_hook(note)
"""
)


@pytest.mark.skipif(find_spec("ray") is None, reason="needs the sweeps extra")
def test_ray_gives_each_job_a_device_of_its_own_and_outlives_a_failure(start_sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SPY, encoding="utf-8")
    cluster = ["+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.num_gpus=2"]
    cluster += ["+hydra.launcher.ray.init.include_dashboard=false", "+hydra.launcher.ray.remote.num_gpus=1"]
    sweep = tmp_path / "sweep"
    process = start_sweep(sweep, "hydra/launcher=ray", *cluster, "model.optimizer.lr=1e-3,2e-3,fast", PYTHONPATH=str(tmp_path))
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert [read_job(sweep / name).status for name in "012"] == ["finished", "finished", "failed"]
    assert "error: job 2 (model.optimizer.lr=fast): failed" in output
    lines = [line for name in "01" for line in (sweep / name / "output.log").read_text(encoding="utf-8").splitlines()]
    assert {line for line in lines if line.startswith("sees")} == {"sees 0 threads 1", "sees 1 threads 1"}


@pytest.mark.skipif(find_spec("submitit") is None, reason="needs the sweeps extra")
def test_submitit_runs_jobs_and_brings_their_results_back(start_sweep: Sweep, tmp_path: Path) -> None:
    process = start_sweep(tmp_path, "hydra/launcher=submitit_local", "model.optimizer.lr=1e-3,fast,2e-3")
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert [read_job(tmp_path / name).status for name in "012"] == ["finished", "failed", "finished"]
    assert json.loads((tmp_path / "0" / "result.json").read_text(encoding="utf-8"))["status"] == "finished"
    assert "error: job 1 (model.optimizer.lr=fast): failed" in output
