"""What listeners would say, predicted from other metrics: CSIG, CBAK and COVL of Hu and Loizou (2008).

Ratings from 1 to 5 of the distortion of the signal, of the intrusion of the background, and of the whole, as ITU-T P.835 asks for
them. The regression was fitted to the narrow-band PESQ before it is mapped to ratings; like nearly all published tables of speech
enhancement at 16 kHz, this takes the wide-band one (P.862.2), whose values are lower.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from lightning_modules.metrics.predictors import llr, wss
from lightning_modules.metrics.resampling import SPEECH_RATE_HZ, at_speech_rate
from lightning_modules.metrics.snr import segsnr_db
from lightning_modules.metrics.speech import pesq_wb

MetricFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class CombinedMetric:
    """A metric that is a function of others, so that those can be shared.

    Attributes:
        parts: the others, by name; those that are metrics of their own by theirs.
        combine: from their values (B,), in this order, to the value (B,).
    """

    parts: Mapping[str, MetricFunction]
    combine: Callable[..., Tensor]

    def from_values(self, known: Mapping[str, Tensor], restored: Tensor, clean: Tensor) -> Tensor:
        """Compare signals (B, C, T), computing only the parts whose values (B,) are not known yet; returns (B,)."""
        values = (known[name] if name in known else part(restored, clean) for name, part in self.parts.items())
        return self.combine(*values)

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare signals (B, C, T); returns (B,)."""
        return self.from_values({}, restored, clean)


def csig(sample_rate: int, cutoff_hz: float) -> CombinedMetric:
    """Return the rating of signal distortion; the rate is in Hz and at least 16 kHz, the cut-off has no influence."""
    return CombinedMetric(_parts(sample_rate, ("pesq_wb", "llr", "wss")), csig_of)


def cbak(sample_rate: int, cutoff_hz: float) -> CombinedMetric:
    """Return the rating of the background; the rate is in Hz and at least 16 kHz, the cut-off has no influence."""
    segmental = "segsnr_db" if sample_rate == SPEECH_RATE_HZ else "segsnr_db at 16 kHz"
    return CombinedMetric(_parts(sample_rate, ("pesq_wb", "wss", segmental)), cbak_of)


def covl(sample_rate: int, cutoff_hz: float) -> CombinedMetric:
    """Return the rating of the whole; the rate is in Hz and at least 16 kHz, the cut-off has no influence."""
    return CombinedMetric(_parts(sample_rate, ("pesq_wb", "llr", "wss")), covl_of)


def csig_of(pesq: Tensor, llr: Tensor, wss: Tensor) -> Tensor:
    """Return CSIG (B,) from the metrics (B,) of these names."""
    return (3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss).clamp(1, 5)


def cbak_of(pesq: Tensor, wss: Tensor, segsnr_db: Tensor) -> Tensor:
    """Return CBAK (B,) from the metrics (B,) of these names."""
    return (1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * segsnr_db).clamp(1, 5)


def covl_of(pesq: Tensor, llr: Tensor, wss: Tensor) -> Tensor:
    """Return COVL (B,) from the metrics (B,) of these names."""
    return (1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss).clamp(1, 5)


def _parts(sample_rate: int, names: tuple[str, ...]) -> dict[str, MetricFunction]:
    at_rate = {"pesq_wb": pesq_wb, "llr": llr, "wss": wss, "segsnr_db": segsnr_db}
    known: dict[str, MetricFunction] = {name: partial(part, sample_rate=sample_rate) for name, part in at_rate.items()}
    known["segsnr_db at 16 kHz"] = partial(_segmental_at_speech_rate, sample_rate=sample_rate)
    return {name: known[name] for name in names}


def _segmental_at_speech_rate(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    low, rate_hz = at_speech_rate(clean, sample_rate)
    return segsnr_db(at_speech_rate(restored, sample_rate)[0], low, rate_hz)
