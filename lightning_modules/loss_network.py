"""A network in whose features errors are measured, taken from the run that trained it."""

from lightning_modules.losses.reconstruction import ReconstructionLoss
from lightning_modules.runs.starting import check_rate, open_origin, take_over
from models.dilated_denoiser import SoundClassifier

KEY = "model.loss_network"


def open_loss_network(loss: ReconstructionLoss, name: str | None, sample_rate: int) -> None:
    """Give a loss the classifier of a finished run of `model=deep_feature`, if it compares features.

    Args:
        loss: that is to compare by it.
        name: of a run folder, a checkpoint or a shipped model.
        sample_rate: of the signals that are compared, in Hz.

    Raises:
        ValueError: if there is no such run, or it has another rate or no classifier.
    """
    if loss.deep_feature is None:
        return
    if name is None:
        weight = loss.weights["deep_feature"]
        raise ValueError(f"model.loss_weights.deep_feature={weight:g} needs {KEY}, the folder of a run of model=deep_feature")
    origin = open_origin(KEY, name)
    described = origin.config.get("classifier")
    if not described or not str(described.get("_target_")).endswith(".SoundClassifier"):
        raise ValueError(f"{origin} was not written by a run of model=deep_feature that trained a classifier")
    check_rate(origin.config, str(origin), sample_rate)
    settings = {key: value for key, value in described.items() if not key.startswith("_")}
    classifier = SoundClassifier(**settings)
    taken = take_over(classifier, origin.of_network("classifier"))
    if taken.missing or taken.other_shape or taken.left_over:
        raise ValueError(f"{origin} holds other weights than its classifier with {settings}")
    loss.deep_feature.ask(classifier.eval().requires_grad_(False))
