"""Every metric there is, a line each, for programs that read results as well as for those that compute them: no tensors here.

The function of a name is attached in collection.py, which refuses to be imported without it. Other people's packages add theirs
by `collection.register_metric` when they are imported: what a metric is called means the same everywhere in a process, in
validation, tables, sweeps and reports, as a class does, so there is one registry of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Occasion = Literal["validation", "steps", "test", "features", "probe", "perceptual"]

CHEAP: tuple[Occasion, ...] = ("validation", "steps", "test")
"""For what costs little enough to be taken at every validation, and after every step of a method that has some."""
LEAST_SPANS = {"dB": 1.0}
LEAST_SPAN = 0.2
"""Of an axis, by the unit, and where there is none."""


@dataclass(frozen=True)
class MetricInfo:
    """What is known of a metric without computing it.

    Attributes:
        name: in results, tables and configurations.
        title: what people call it.
        higher_is_better: whether a larger value is a better restoration.
        unit: of its values; empty for a plain number.
        lowest_rate_hz: sample rate that holds what the metric listens to.
        when: occasions on which it is computed.
        package: optional one that it needs.
        needs_cutoff: whether it exists only where the corruption takes everything above a frequency.
        on_demand: whether tables of reports show it only when asked, and those of runs only if the verdict is about it, as one of
            many views of a thing.
        decimals: of a mean in a table; what cannot be told apart there is no lead.
    """

    name: str
    title: str
    higher_is_better: bool
    unit: str = ""
    lowest_rate_hz: int = 0
    when: tuple[Occasion, ...] = ("test",)
    package: str | None = None
    needs_cutoff: bool = False
    on_demand: bool = False
    decimals: int = 2

    @property
    def is_probe(self) -> bool:
        """Whether it asks what a test pair does not tell."""
        return "probe" in self.when

    @property
    def is_of_method(self) -> bool:
        """Whether results have a value of it for a method, and none for a test pair."""
        return self.is_probe or "perceptual" in self.when

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.higher_is_better else -1

    @property
    def mode(self) -> Literal["max", "min"]:
        """Its better direction, as callbacks call it."""
        return "max" if self.higher_is_better else "min"

    @property
    def least_span(self) -> float:
        """How much an axis of it shows at least: a change that nobody hears is not to look like a leap.

        >>> METRICS["snr_db"].least_span, METRICS["stoi"].least_span
        (1.0, 0.2)
        """
        return LEAST_SPANS.get(self.unit, LEAST_SPAN)

    @property
    def words(self) -> str:
        """What people call it, with its unit.

        >>> METRICS["snr_db"].words, METRICS["stoi"].words
        ('signal-to-noise ratio (dB)', 'short-time objective intelligibility')
        """
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def arrow(self) -> str:
        """Which way is the better."""
        return "↑" if self.higher_is_better else "↓"

    @property
    def heading(self) -> str:
        """Its name and an arrow towards the better, over the column of a table.

        >>> METRICS["lsd"].heading
        'lsd ↓'
        """
        return f"{self.name} {self.arrow}"


_ALL = (
    MetricInfo("snr_db", "signal-to-noise ratio", True, "dB", when=CHEAP),
    MetricInfo("si_sdr_db", "scale-invariant signal-to-distortion ratio", True, "dB", when=CHEAP),
    MetricInfo("mse", "mean squared error", False, when=("validation", "test"), on_demand=True, decimals=5),
    MetricInfo("lsd", "log-spectral distance", False, when=CHEAP),
    MetricInfo("lsd_lf", "log-spectral distance below the cut-off", False, when=("validation", "test")),
    MetricInfo("lsd_hf", "log-spectral distance above the cut-off", False, when=CHEAP),
    MetricInfo("lsd_hf60", "log-spectral distance above the cut-off, 60 dB deep", False, needs_cutoff=True),
    MetricInfo("snr_lf_db", "signal-to-noise ratio below the cut-off", True, "dB", needs_cutoff=True),
    MetricInfo("mel_hf", "log-mel distance above the cut-off", False, needs_cutoff=True, on_demand=True),
    MetricInfo("partials_db", "error of partials above the cut-off", False, "dB", needs_cutoff=True, on_demand=True),
    MetricInfo("mcd_db", "mel-cepstral distance", False, "dB", on_demand=True),
    MetricInfo("segsnr_db", "segmental signal-to-noise ratio", True, "dB", on_demand=True),
    MetricInfo("lsd_kuleshov", "log-spectral distance as Kuleshov et al. compute it", False, on_demand=True),
    MetricInfo("lsd_bilat", "log-spectral distance as Bilat computes it", False, on_demand=True),
    MetricInfo("lsd_mugan", "log-spectral distance as the authors of MU-GAN compute it", False, on_demand=True),
    MetricInfo("llr", "log-likelihood ratio of linear predictors", False, lowest_rate_hz=8000, on_demand=True),
    MetricInfo("wss", "weighted spectral slope distance", False, lowest_rate_hz=8000, on_demand=True),
    MetricInfo("pesq_wb", "wide-band PESQ", True, lowest_rate_hz=16000, package="pesq"),
    MetricInfo("stoi", "short-time objective intelligibility", True, lowest_rate_hz=8000, package="pystoi"),
    MetricInfo(
        "estoi", "extended short-time objective intelligibility", True, lowest_rate_hz=8000, package="pystoi", on_demand=True
    ),
    MetricInfo("csig", "predicted rating of signal distortion", True, lowest_rate_hz=16000, package="pesq", on_demand=True),
    MetricInfo("cbak", "predicted rating of background noise", True, lowest_rate_hz=16000, package="pesq", on_demand=True),
    MetricInfo("covl", "predicted rating of overall quality", True, lowest_rate_hz=16000, package="pesq", on_demand=True),
    MetricInfo("mel_features", "distance of a classifier's features of log-mel spectra", False, when=("features",)),
    MetricInfo("visqol", "rating predicted by ViSQOL", True, when=("perceptual",), package="visqol"),
    MetricInfo("zimtohrli", "rating predicted by Zimtohrli", True, when=("perceptual",), package="zimtohrli"),
    MetricInfo("dnsmos", "rating of speech predicted by DNSMOS", True, when=("perceptual",), package="speechmos"),
    MetricInfo("noharm_db", "signal-to-distortion ratio where nothing is to be done", True, "dB", when=("probe",)),
    MetricInfo("si_sdr_quiet_db", "signal-to-distortion ratio 40 dB below what came before", True, "dB", when=("probe",)),
    MetricInfo("preecho_db", "noise that a burst lets through before it", False, "dB", 4000, when=("probe",)),
    MetricInfo("c2st", "held-out accuracy of telling restored from clean", False, "%", when=("probe",)),
)
_BY_NAME = {info.name: info for info in _ALL}
METRICS: Mapping[str, MetricInfo] = MappingProxyType(_BY_NAME)
"""By name, in the order of tables."""


def register(info: MetricInfo) -> None:
    """Add a metric; the same one again changes nothing.

    Raises:
        ValueError: if another one has its name.
    """
    if _BY_NAME.setdefault(info.name, info) != info:
        raise ValueError(f"there is another metric {info.name}; choose another name")


def added_metrics() -> list[dict[str, Any]]:
    """Describe the metrics of other packages, so that results can be read where these are not imported."""
    return [
        {"name": info.name, "title": info.title, "higher_is_better": info.higher_is_better, "unit": info.unit}
        for info in METRICS.values()
        if info not in _ALL
    ]


def register_described(descriptions: Iterable[Mapping[str, Any]]) -> None:
    """Add metrics that nothing here can compute, but results have; a name that is known stays what it is.

    Args:
        descriptions: as of `added_metrics`.
    """
    for described in descriptions:
        _BY_NAME.setdefault(described["name"], MetricInfo(**described, when=()))


def computed_in(occasion: Occasion) -> tuple[str, ...]:
    """Return the names of the metrics that are computed on an occasion.

    >>> computed_in("steps")
    ('snr_db', 'si_sdr_db', 'lsd', 'lsd_hf')
    """
    return tuple(info.name for info in METRICS.values() if occasion in info.when)


def check_metric(monitor: str) -> str:
    """Return the metric that a verdict is about.

    Args:
        monitor: name as logged, such as "test/si_sdr_db".

    Raises:
        ValueError: if there is no such metric.
    """
    name = monitor.split("/")[-1]
    if name not in METRICS:
        raise ValueError(f"monitor={monitor} is not a metric; known: {', '.join(METRICS)}")
    return name


def check_monitor(monitor: str, mode: str) -> None:
    """Refuse to steer a run by a metric that validation does not compute, or in the wrong direction.

    Args:
        monitor: name as logged, such as "val/si_sdr_db".
        mode: "max" or "min".

    Raises:
        ValueError: if the metric is unknown to validation or the mode is not its better direction.
    """
    known = [f"val/{name}" for name in computed_in("validation")]
    if monitor not in known:
        raise ValueError(f"monitor={monitor} is not computed in validation; known: {', '.join(known)}")
    better = METRICS[monitor.removeprefix("val/")].mode
    if mode != better:
        raise ValueError(f"mode={mode} would keep the worst checkpoint by {monitor}; set mode={better}")
