"""What the experiment consists of: the network that all begin with, judges, arms, filters, metrics, and the time of an arm."""

from collections.abc import Mapping
from dataclasses import dataclass

CONTROL, START = "control", "start"
CORE_SECONDS = 600.0
"""Of the training of an arm, validation included, without the time that its judges took before."""
PACE_STEPS = 256
"""Of the trial that tells the seconds of a step: four epochs, each with its validation."""
FILTERS = ("chebyshev1", "bessel", "windowed_sinc", "none")
"""The conditions. None of the networks was trained on the last one."""
PAIRS_HEARD = 64
METRICS = ("visqol", "zimtohrli", "mel_hf", "partials_db", "snr_lf_db", "lsd")
"""With a value for every pair."""
OF_METHOD = "c2st"
"""One value for a method, and so no interval."""
DECIDING = ("visqol", "zimtohrli")
UNHARMED = "snr_lf_db"
DATA = (
    "data=folder",
    "data.sample_rate=16000",
    "data.window_samples=8192",
    "data.batch_size=16",
    "data.samples_per_epoch=1024",
    "corruption=super_resolution",
    "corruption.low_rate_hz=4000",
)
"""As experiment=super_resolve_band_net has it."""


@dataclass(frozen=True)
class Judge:
    """A network in whose features arms are compared, trained once before them.

    Attributes:
        steps: of its training.
        keys: that it is trained with.
    """

    steps: int
    keys: tuple[str, ...]


JUDGES: Mapping[str, Judge] = {
    "autoencoder": Judge(1500, ("model=autoencoder_small",)),
    "features": Judge(1280, ("model=deep_feature", "model.stages.labels.epochs=20")),
}
"""The classifier learns labels in all of its epochs; the denoiser beside it is not trained."""


@dataclass(frozen=True)
class Arm:
    """A way to go on.

    Attributes:
        keys: beside those that all arms share.
        judges: by the key that names their checkpoints.
    """

    keys: tuple[str, ...]
    judges: Mapping[str, str]


def _weights(adversarial: float = 0.0, feature: float = 0.0) -> tuple[str, ...]:
    weights = {"adversarial": adversarial, "feature_matching": adversarial, "feature": feature}
    return tuple(f"model.loss_weights.{name}={weight:g}" for name, weight in weights.items())


SHARED = ("model=band_net_gan", "balance@model.balance=gradient", "monitor=val/lsd", "mode=min")
_AUTOENCODER = {"model.autoencoder_checkpoint": "autoencoder"}
ARMS: Mapping[str, Arm] = {
    CONTROL: Arm(_weights(), {}),
    "adversarial": Arm(_weights(adversarial=0.2), {}),
    "feature": Arm(_weights(feature=0.2), _AUTOENCODER),
    "mugan": Arm(_weights(adversarial=0.2, feature=0.2), _AUTOENCODER),
    "deep_feature": Arm((*_weights(), "+model.loss_weights.deep_feature=0.2"), {"+model.loss_network": "features"}),
}
"""Weights are shares of the gradient at the output, beside 0.1 of log_mse and 0.5 of mr_stft in all of them."""
ADVERSARIAL = ("adversarial", "mugan")
