"""What a restoration is worth: per-example metrics, their means over examples, and the sets used for validation and test.

Every metric is a pure function of restored (B, C, T) and clean (B, C, T) to per-example values (B,). Adding one takes a
function, a line in `_MAKERS`, and a line in registry.py.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_modules.metrics.availability import offered_metrics
from lightning_modules.metrics.composite import CombinedMetric, MetricFunction, cbak, covl, csig
from lightning_modules.metrics.lsd import (
    Framing,
    SpectralMetric,
    lsd,
    lsd_bilat,
    lsd_hf,
    lsd_hf60,
    lsd_kuleshov,
    lsd_lf,
    lsd_mugan,
    power_spectrogram,
)
from lightning_modules.metrics.mel import mcd_db, mel_hf
from lightning_modules.metrics.partials import partials_db
from lightning_modules.metrics.predictors import llr, wss
from lightning_modules.metrics.registry import METRICS, MetricInfo, computed_in, register
from lightning_modules.metrics.snr import mse, segsnr_db, si_sdr_db, snr_db, snr_lf_db
from lightning_modules.metrics.speech import estoi, pesq_wb, stoi

MetricMaker = Callable[[int, float], MetricFunction]

_MAKERS: dict[str, MetricMaker] = {
    "snr_db": lambda sample_rate, cutoff_hz: snr_db,
    "mse": lambda sample_rate, cutoff_hz: mse,
    "si_sdr_db": lambda sample_rate, cutoff_hz: si_sdr_db,
    "lsd": lambda sample_rate, cutoff_hz: lsd,
    "lsd_lf": lsd_lf,
    "lsd_hf": lsd_hf,
    "lsd_hf60": lsd_hf60,
    "snr_lf_db": lambda sample_rate, cutoff_hz: partial(snr_lf_db, sample_rate=sample_rate, cutoff_hz=cutoff_hz),
    "mel_hf": mel_hf,
    "partials_db": partials_db,
    "mcd_db": mcd_db,
    "segsnr_db": lambda sample_rate, cutoff_hz: partial(segsnr_db, sample_rate=sample_rate),
    "lsd_kuleshov": lambda sample_rate, cutoff_hz: lsd_kuleshov,
    "lsd_bilat": lambda sample_rate, cutoff_hz: lsd_bilat,
    "lsd_mugan": lambda sample_rate, cutoff_hz: lsd_mugan,
    "llr": lambda sample_rate, cutoff_hz: partial(llr, sample_rate=sample_rate),
    "wss": lambda sample_rate, cutoff_hz: partial(wss, sample_rate=sample_rate),
    "pesq_wb": lambda sample_rate, cutoff_hz: partial(pesq_wb, sample_rate=sample_rate),
    "stoi": lambda sample_rate, cutoff_hz: partial(stoi, sample_rate=sample_rate),
    "estoi": lambda sample_rate, cutoff_hz: partial(estoi, sample_rate=sample_rate),
    "csig": csig,
    "cbak": cbak,
    "covl": covl,
}
"""From the rate in Hz and the frequency in Hz that splits the bands to the metric of a name."""


def check_functions(named: Mapping[str, object]) -> None:
    """Refuse a registered metric that no function computes, and a function of no registered metric.

    Raises:
        LookupError: naming them.
    """
    if odd := set(named) ^ set(computed_in("test")):
        raise LookupError(f"{', '.join(sorted(odd))}: a metric needs a line in registry.py and a function in collection.py")


check_functions(_MAKERS)


def register_metric(info: MetricInfo, make: MetricMaker) -> None:
    """Add a metric of another package, when that is imported.

    Args:
        info: its name, words and direction.
        make: from the sample rate in Hz and the frequency in Hz that splits the bands to the per-example function.

    Raises:
        ValueError: if another metric has its name.
    """
    register(info)
    _MAKERS.setdefault(info.name, make)


class MeanOverExamples(Metric):
    """Mean of a per-example metric over all examples seen, on one or many processes.

    The states are a sum and a count, so that the reduction over processes weighs every example alike. An example whose value
    is NaN has none (PESQ of silence) and is left out; the mean of no example at all is NaN.

    Attributes:
        function: the per-example metric.
    """

    is_differentiable = False
    full_state_update = False
    value_sum: Tensor
    count: Tensor

    def __init__(self, function: MetricFunction, higher_is_better: bool) -> None:
        """Keep the function and start at no examples.

        Args:
            function: per-example metric, (B, C, T) and (B, C, T) to (B,).
            higher_is_better: whether a larger value is a better restoration.
        """
        super().__init__()
        self.function = function
        self._higher_is_better = higher_is_better
        self.add_state("value_sum", default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", default=torch.tensor(0.0), dist_reduce_fx="sum")

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]  # torchmetrics makes this a constant of the class
        """Whether a larger value is a better restoration."""
        return self._higher_is_better

    def update(self, values: Tensor) -> None:
        """Add per-example values (B,), as `function` or `update_all` gives them."""
        self.value_sum += torch.nansum(values)
        self.count += values.isnan().logical_not().sum()

    def compute(self) -> Tensor:
        """Return the mean over the examples added so far."""
        return self.value_sum / self.count


def build_metrics(names: Sequence[str], sample_rate: int, cutoff_hz: float | None = None) -> dict[str, MeanOverExamples]:
    """Build the named metrics, leaving out those that this rate, installation or corruption does not offer.

    Args:
        names: keys of `METRICS`.
        sample_rate: rate of the signals in Hz.
        cutoff_hz: frequency that splits LSD into its low and high band; without a band limit (None, or one that reaches the
            Nyquist frequency) the split is at half the Nyquist frequency, and what needs a limit is left out.

    Returns:
        Metrics by name, in the order asked for.

    Raises:
        ValueError: if a name is unknown.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise ValueError(f"unknown metrics {unknown}; known: {', '.join(METRICS)}")
    limited = cutoff_hz is not None and cutoff_hz < sample_rate / 2
    split_hz = cutoff_hz if limited and cutoff_hz else sample_rate / 4
    offered = [name for name in offered_metrics(sample_rate) if limited or not METRICS[name].needs_cutoff]
    return {
        name: MeanOverExamples(_MAKERS[name](sample_rate, split_hz), METRICS[name].higher_is_better)
        for name in names
        if name in offered
    }


def update_all(metrics: Mapping[str, MeanOverExamples], restored: Tensor, clean: Tensor) -> dict[str, Tensor]:
    """Add a batch to every metric, computing once what several of them need.

    Args:
        metrics: metrics by name, as `build_metrics` returns them.
        restored: estimates (B, C, T).
        clean: references (B, C, T).

    Returns:
        The per-example values (B,) by name.
    """
    powers: dict[Framing, tuple[Tensor, Tensor]] = {}
    values: dict[str, Tensor] = {}
    for name, metric in metrics.items():
        if isinstance(metric.function, CombinedMetric):
            values[name] = metric.function.from_values(values, restored, clean)
        else:
            values[name] = _measure(metric.function, restored, clean, powers)
        metric.update(values[name])
    return values


def _measure(function: MetricFunction, restored: Tensor, clean: Tensor, powers: dict[Framing, tuple[Tensor, Tensor]]) -> Tensor:
    """Evaluate one metric, adding the spectrograms it needs to `powers`."""
    if not isinstance(function, SpectralMetric):
        return function(restored, clean)
    framing = function.framing
    if framing not in powers:
        powers[framing] = power_spectrogram(restored, framing), power_spectrogram(clean, framing)
    return function.from_powers(*powers[framing])
