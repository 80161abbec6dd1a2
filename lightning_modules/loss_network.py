"""A network in whose features errors are measured, taken from the run that trained it."""

from typing import TypeVar

from lightning_modules.losses.reconstruction import ReconstructionLoss
from lightning_modules.metrics.mel_features import FeatureDistance
from lightning_modules.runs.starting import check_rate, open_origin, take_over
from models.dilated_denoiser import SoundClassifier
from models.layers.classifying import Classifier
from models.mel_classifier import MelClassifier

KEY = "model.loss_network"
TEST_KEY = "test_deep_features"
KINDS: dict[type[Classifier], str] = {SoundClassifier: "deep_feature", MelClassifier: "deep_feature_mel"}
"""With the methods that train them."""
Kind = TypeVar("Kind", bound=Classifier)


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
    loss.deep_feature.ask(open_classifier(KEY, name, sample_rate, KINDS))


def open_distance(name: str, sample_rate: int) -> FeatureDistance:
    """Return the metric that compares by the classifier of a finished run of `model=deep_feature_mel`.

    Args:
        name: of a run folder, a checkpoint or a shipped model.
        sample_rate: of the signals that are compared, in Hz.

    Raises:
        ValueError: if there is no such run, or it has another rate or no such classifier.
    """
    return FeatureDistance(open_classifier(TEST_KEY, name, sample_rate, {MelClassifier: KINDS[MelClassifier]}))


def open_classifier(key: str, name: str, sample_rate: int, kinds: dict[type[Kind], str]) -> Kind:
    """Open the classifier of a finished run.

    Args:
        key: of the configuration that names it.
        name: of a run folder, a checkpoint or a shipped model.
        sample_rate: of the signals that are compared, in Hz.
        kinds: of classifiers that are of use, with the methods that train them.

    Raises:
        ValueError: if there is no such run, or it has another rate or no such classifier.
    """
    origin = open_origin(key, name)
    described = origin.config.get("classifier") or {}
    kind = next((kind for kind in kinds if str(described.get("_target_")) == f"{kind.__module__}.{kind.__name__}"), None)
    if kind is None:
        trained_by = " or ".join(f"model={method}" for method in kinds.values())
        raise ValueError(f"{origin} was not written by a run of {trained_by} that trained a classifier")
    check_rate(origin.config, str(origin), sample_rate)
    settings = {key: value for key, value in described.items() if not key.startswith("_")}
    classifier = kind(**settings)
    taken = take_over(classifier, origin.of_network("classifier"))
    if taken.missing or taken.other_shape or taken.left_over:
        raise ValueError(f"{origin} holds other weights than its classifier with {settings}")
    return classifier.eval().requires_grad_(False)
