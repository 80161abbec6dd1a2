"""What holds for every metric, their means over examples, and the choice among them."""

import math

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.collection import (
    MeanOverExamples,
    build_metrics,
    check_functions,
    update_all,
)
from lightning_modules.metrics.lsd import lsd, lsd_hf, lsd_lf, power_spectrogram
from lightning_modules.metrics.registry import METRICS, check_metric, check_monitor, computed_in
from lightning_modules.metrics.snr import snr_db
from tests.lightning_modules.metrics.contracts import OF_TONES

SAMPLE_RATE = 16000
SIGNAL_METRICS = [name for name in computed_in("test") if METRICS[name].package is None and name not in OF_TONES]


def noise(seed: int, *shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_swapped_arguments_change_snr_but_not_lsd() -> None:
    restored, clean = noise(0, 1, 1, 8000), 2 * noise(1, 1, 1, 8000)
    assert abs(snr_db(restored, clean) - snr_db(clean, restored)).item() > 1
    torch.testing.assert_close(lsd(restored, clean), lsd(clean, restored))


@pytest.mark.parametrize("length", [1, 2, 100, 1024, 1025, 2047, 2048, 5000])
@pytest.mark.parametrize("name", SIGNAL_METRICS)
def test_every_length_has_a_finite_value(name: str, length: int) -> None:
    metric = build_metrics([name], SAMPLE_RATE, 4000)[name].function
    for restored, clean in [
        (noise(0, 2, 1, length), noise(1, 2, 1, length)),
        (torch.zeros(2, 1, length), noise(1, 2, 1, length)),
    ]:
        assert metric(restored, clean).shape == (2,)
        assert torch.isfinite(metric(restored, clean)).all()
        assert torch.isfinite(metric(clean, restored)).all()


@pytest.mark.parametrize("name", SIGNAL_METRICS)
def test_a_batch_equals_its_examples_and_inputs_stay_unchanged(name: str) -> None:
    metric = build_metrics([name], SAMPLE_RATE, 4000)[name].function
    restored, clean = noise(0, 3, 2, 6000), noise(1, 3, 2, 6000)
    before = restored.clone(), clean.clone()
    alone = torch.cat([metric(restored[i : i + 1], clean[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(metric(restored, clean), alone, atol=1e-5, rtol=1e-5)
    assert torch.equal(restored, before[0]) and torch.equal(clean, before[1])


def test_mean_weighs_every_example_alike() -> None:
    metric = MeanOverExamples(snr_db, higher_is_better=True)
    metric.update(torch.tensor([1.0, 2.0, 3.0]))
    metric.update(torch.tensor([10.0]))
    assert metric.compute().item() == 4.0
    metric.reset()
    metric.update(torch.tensor([5.0, math.nan]))
    assert metric.compute().item() == 5.0


def test_mean_over_processes_adds_sums_and_counts() -> None:
    metric = MeanOverExamples(snr_db, higher_is_better=True)
    assert {name: reduce.__name__ for name, reduce in metric._reductions.items()} == {
        "value_sum": "dim_zero_sum",
        "count": "dim_zero_sum",
    }


def test_update_all_shares_spectrograms_without_changing_values(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = build_metrics(SIGNAL_METRICS, SAMPLE_RATE, 4000)
    restored, clean = noise(0, 2, 1, 5000), noise(1, 2, 1, 5000)
    expected = {name: metric.function(restored, clean) for name, metric in metrics.items()}
    framings = []
    monkeypatch.setattr(
        "lightning_modules.metrics.collection.power_spectrogram",
        lambda signal, framing: framings.append(framing) or power_spectrogram(signal, framing),
    )
    values = update_all(metrics, restored, clean)
    assert len(framings) == 2 * len(set(framings)) == 4
    for name, value in values.items():
        torch.testing.assert_close(value, expected[name])
        torch.testing.assert_close(metrics[name].compute(), value.mean())


def test_factory_keeps_order_direction_and_refuses_unknown_names() -> None:
    metrics = build_metrics(computed_in("validation"), SAMPLE_RATE, 4000)
    assert tuple(metrics) == computed_in("validation")
    assert all(metric.higher_is_better == METRICS[name].higher_is_better for name, metric in metrics.items())
    with pytest.raises(ValueError, match=r"unknown metrics \['snr'\]; known: snr_db"):
        build_metrics(["snr"], SAMPLE_RATE)


@pytest.mark.parametrize("cutoff_hz", [None, 8000.0, 9000.0])
def test_without_band_limit_the_bands_split_at_half_nyquist(cutoff_hz: float | None) -> None:
    metrics = build_metrics(["lsd_lf", "lsd_hf"], SAMPLE_RATE, cutoff_hz)
    assert metrics["lsd_lf"].function == lsd_lf(SAMPLE_RATE, 4000)
    assert metrics["lsd_hf"].function == lsd_hf(SAMPLE_RATE, 4000)


@pytest.mark.parametrize("cutoff_hz", [None, 8000.0, 9000.0])
def test_what_needs_a_cutoff_has_no_value_without_one(cutoff_hz: float | None) -> None:
    needing = [name for name, info in METRICS.items() if info.needs_cutoff]
    assert {"lsd_hf60", "snr_lf_db"} <= set(needing)
    assert build_metrics(needing, SAMPLE_RATE, cutoff_hz) == {}
    assert list(build_metrics(needing, SAMPLE_RATE, 7999.0)) == needing


def test_monitor_must_exist_and_point_the_right_way() -> None:
    check_monitor("val/si_sdr_db", "max")
    check_monitor("val/lsd", "min")
    with pytest.raises(ValueError, match="val/sisdr"):
        check_monitor("val/sisdr", "max")
    with pytest.raises(ValueError, match="mode=min"):
        check_monitor("val/lsd", "max")


def test_metric_of_a_verdict_is_the_name_without_its_split() -> None:
    assert check_metric("test/lsd") == check_metric("val/lsd") == check_metric("lsd") == "lsd"
    with pytest.raises(ValueError, match="monitor=test/sisdr is not a metric; known: snr_db, si_sdr_db"):
        check_metric("test/sisdr")


@pytest.mark.parametrize("named", [{*computed_in("test")} - {"lsd"}, {*computed_in("test")} | {"nmse"}])
def test_metric_without_a_function_and_function_without_a_metric_are_refused(named: set[str]) -> None:
    with pytest.raises(LookupError, match="lsd: a metric needs|nmse: a metric needs"):
        check_functions(dict.fromkeys(named))
