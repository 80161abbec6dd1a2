"""Whoever reads results knows every metric there is, without tensors."""

import subprocess
import sys

from lightning_modules.metrics.registry import METRICS, computed_in


def test_validation_takes_the_cheap_metrics_and_a_test_all() -> None:
    assert computed_in("validation") == ("snr_db", "si_sdr_db", "lsd", "lsd_lf", "lsd_hf")
    assert tuple(METRICS) == computed_in("test")


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
