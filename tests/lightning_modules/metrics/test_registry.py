"""Whoever reads results knows every metric there is, without tensors."""

import subprocess
import sys

from lightning_modules.metrics.registry import METRICS, computed_in


def test_validation_takes_the_cheap_metrics_and_a_test_all() -> None:
    assert computed_in("validation") == ("snr_db", "si_sdr_db", "mse", "lsd", "lsd_lf", "lsd_hf")
    assert set(METRICS) == {name for occasion in ("test", "features", "probe", "perceptual") for name in computed_in(occasion)}


def test_units_are_those_of_the_names_and_titles_tell_metrics_apart() -> None:
    assert all((info.unit == "dB") == name.endswith("_db") for name, info in METRICS.items())
    assert len({info.title for info in METRICS.values() if info.title}) == len(METRICS)


def test_better_direction_has_one_owner() -> None:
    assert (METRICS["stoi"].sign, METRICS["stoi"].mode, METRICS["stoi"].heading) == (1, "max", "stoi ↑")
    assert (METRICS["lsd"].sign, METRICS["lsd"].mode, METRICS["lsd"].heading) == (-1, "min", "lsd ↓")


def test_metrics_and_losses_are_told_without_tensors() -> None:
    program = (
        "import lightning_modules.metrics.registry, lightning_modules.losses.registry, sys; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def in_a_process_of_its_own(program: str) -> str:
    """Run a program that changes what this process is not to see."""
    head = "from lightning_modules.metrics.registry import *\nfrom lightning_modules.metrics.registry import register_described\n"
    return subprocess.run([sys.executable, "-c", head + program], capture_output=True, text=True, check=True).stdout.strip()


def test_metric_of_another_package_is_computed_like_ours() -> None:
    program = """
import torch
from lightning_modules.metrics.collection import build_metrics, register_metric, update_all
from lightning_modules.metrics.registry import check_monitor
info = MetricInfo("peak", "peak", True, when=CHEAP)
for _ in range(2):
    register_metric(info, lambda rate_hz, split_hz: lambda restored, clean: restored.amax(dim=(1, 2)))
check_monitor("val/peak", "max")
metrics = build_metrics(computed_in("steps"), 8000)
update_all(metrics, torch.full((2, 1, 4096), 0.5), torch.ones(2, 1, 4096))
try:
    register_metric(MetricInfo("lsd", "another", True), None)
except ValueError as error:
    print(float(metrics["peak"].compute()), added_metrics()[0]["name"], error)
"""
    assert in_a_process_of_its_own(program) == "0.5 peak there is another metric lsd; choose another name"


def test_metric_that_only_a_result_describes_is_known_and_never_computed() -> None:
    described = [{"name": name, "title": "t", "higher_is_better": True, "unit": "dB"} for name in ("peak", "lsd")]
    program = (
        f"register_described({described}); print(METRICS['peak'].heading, METRICS['lsd'].heading, 'peak' in computed_in('test'))"
    )
    assert in_a_process_of_its_own(program) == "peak ↑ lsd ↓ False"
