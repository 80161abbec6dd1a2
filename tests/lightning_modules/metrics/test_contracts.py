"""Every metric of the registry keeps the contract of all metrics, and one that breaks it is seen."""

import importlib.util
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.collection import build_metrics
from lightning_modules.metrics.registry import METRICS, computed_in
from tests.lightning_modules.metrics import contracts
from tests.lightning_modules.metrics.contracts import CHECKS, OF_TONES, RATE_HZ, Subject

RULES: dict[str, tuple[float, float]] = {
    "snr_db": (100.0, -100.0),
    "si_sdr_db": (100.0, -100.0),
    "mse": (0.0, math.inf),
    "lsd": (0.0, math.inf),
    "lsd_lf": (0.0, math.inf),
    "lsd_hf": (0.0, math.inf),
    "lsd_hf60": (0.0, math.inf),
    "snr_lf_db": (100.0, -100.0),
    "mel_hf": (0.0, math.inf),
    "partials_db": (0.0, 40.0),
    "mcd_db": (0.0, math.inf),
    "segsnr_db": (35.0, -10.0),
    "lsd_kuleshov": (0.0, 10.0),
    "lsd_bilat": (0.0, math.inf),
    "lsd_mugan": (0.0, math.inf),
    "llr": (0.0, math.inf),
    "wss": (0.0, math.inf),
    "pesq_wb": (4.6439, math.nan),
    "stoi": (1.0, math.nan),
    "estoi": (1.0, math.nan),
    "csig": (5.0, math.nan),
    "cbak": (5.0, math.nan),
    "covl": (5.0, math.nan),
}
"""The perfect value of each metric, and that of a restoration with NaN."""


def subject_of(name: str) -> Subject:
    package = METRICS[name].package
    if package is not None and importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}")
    function = build_metrics([name], RATE_HZ, 4000)[name].function
    perfect, of_nan = RULES[name]
    silence = package is None and name not in OF_TONES
    return Subject(name, function, METRICS[name].sign, perfect, of_nan, silence_has_a_value=silence)


def test_every_metric_is_held_to_the_contract() -> None:
    assert set(RULES) == set(computed_in("test")), "give a new metric a line in RULES"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", computed_in("test"))
def test_contract(name: str, check: Callable[[Subject], None]) -> None:
    check(subject_of(name))


def error(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the mean absolute error of each example, (B,), infinite if undefined: a metric as it should be."""
    return (restored - clean).abs().mean(dim=(1, 2)).nan_to_num(nan=math.inf)


def in_place(restored: Tensor, clean: Tensor) -> Tensor:
    return restored.sub_(clean).abs().mean(dim=(1, 2)).nan_to_num(nan=math.inf)


def relative(restored: Tensor, clean: Tensor) -> Tensor:
    return error(restored, clean) / clean.abs().mean(dim=(1, 2))


def of_worst(restored: Tensor, clean: Tensor) -> Tensor:
    return (restored - clean).abs().amax(dim=(1, 2)) / (restored - clean).abs().amax().clamp_min(1e-9)


BREACHES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str, str]] = {
    "sign": (lambda restored, clean: -error(restored, clean), "direction", "is not worse for more damage"),
    "offset": (lambda restored, clean: error(restored, clean) + 0.1, "perfect_score", r"gives equal signals .*0\.1"),
    "by channel": (lambda restored, clean: (restored - clean).abs().mean(dim=2), "perfect_score", r"has the shape \(3, 2\)"),
    "mean of the batch": (
        lambda restored, clean: error(restored, clean).mean().expand(3),
        "nan_and_silence",
        "lets the NaN of one example reach another",
    ),
    "hidden NaN": (lambda restored, clean: error(restored.nan_to_num(), clean), "nan_and_silence", "a mean must not hide it"),
    "silence": (relative, "nan_and_silence", "for silence: limit what it divides by"),
    "level of the batch": (of_worst, "examples_alone", "together and .* alone"),
    "in place": (in_place, "examples_alone", "modifies its inputs"),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_metric_as_it_should_be_passes(check: Callable[[Subject], None]) -> None:
    assert check(Subject("error", error, -1, 0.0, math.inf)) is None


@pytest.mark.parametrize("breach", list(BREACHES))
def test_breach_is_seen_and_told(breach: str) -> None:
    function, check, message = BREACHES[breach]
    with pytest.raises(AssertionError, match=f"(?s)^error .*{message}"):
        getattr(contracts, f"check_{check}")(Subject("error", function, -1, 0.0, math.inf))


def test_restoration_with_infinite_samples_has_the_worst_value_too() -> None:
    clean = contracts.speech()
    broken = clean.clone()
    broken[1, 0, 1000] = torch.inf
    worst = {name: of_nan for name, (_, of_nan) in RULES.items() if not math.isnan(of_nan)}
    assert {name: subject_of(name).function(broken, clean)[1].item() for name in worst} == worst
