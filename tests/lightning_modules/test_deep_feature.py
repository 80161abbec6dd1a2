"""Losses in the features of a classifier: their value, their weights, who learns in which stage, and another run's classifier."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.deep_feature import DeepFeatureModule
from lightning_modules.loss_network import open_distance, open_loss_network
from lightning_modules.losses.deep_feature import DeepFeatureLoss
from lightning_modules.losses.reconstruction import ReconstructionLoss
from lightning_modules.regression import RegressionModule
from models.dilated_denoiser import DilatedDenoiser, SoundClassifier
from models.mel_classifier import MelClassifier

RATE_HZ = 4000
STAGES = {"labels": {"train": ["classifier"], "epochs": 1}, "denoising": {"train": ["net"], "epochs": None}}
CLASSIFIER = {"layers": 6, "channels": 2, "tasks": 2, "classes": 3}
OPTIMIZER = partial(torch.optim.SGD, lr=0.1)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def judge() -> SoundClassifier:
    torch.manual_seed(0)
    return SoundClassifier(**CLASSIFIER).eval()


def batch() -> dict[str, Tensor]:
    labels = torch.tensor([[0, 1], [1, -1]])
    return {"clean": draw(2, 1, 256), "corrupted": draw(2, 1, 256, seed=1), "index": torch.arange(2), "labels": labels}


def make(**settings: Any) -> DeepFeatureModule:
    torch.manual_seed(0)
    classifier = partial(SoundClassifier, **CLASSIFIER)
    given = {"loss_weights": {"deep_feature": 1.0, "labels": 1.0}, "stages": STAGES, "classifier": classifier, **settings}
    module = DeepFeatureModule(net=DilatedDenoiser(layers=2, channels=3), sample_rate=RATE_HZ, optimizer=OPTIMIZER, **given)
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    return module


def at_epoch(module: DeepFeatureModule, epoch: int, monkeypatch: pytest.MonkeyPatch) -> DeepFeatureModule:
    monkeypatch.setattr(DeepFeatureModule, "current_epoch", epoch)
    return module


def test_distance_is_the_sum_of_those_of_six_layers() -> None:
    loss, network, x, y = DeepFeatureLoss(), judge(), draw(2, 1, 256), draw(2, 1, 256, seed=1)
    loss.ask(network)
    pairs = zip(network.features(x, 6), network.features(y, 6), strict=True)
    wanted = sum(np.abs((one - other).detach().numpy()).mean() for one, other in pairs)
    assert loss(x, y).item() == pytest.approx(wanted, rel=1e-5)
    assert loss(x, x).item() == 0


def test_layers_count_alike_after_the_tenth_epoch() -> None:
    loss, x, y = DeepFeatureLoss(), draw(2, 1, 256), draw(2, 1, 256, seed=1)
    loss.ask(judge())
    for epoch in range(10):
        assert torch.equal(loss.scales, torch.ones(6)), epoch
        loss(x * (epoch < 9), y)
        loss.end_epoch()
    assert loss(0 * x, y).item() == pytest.approx(6.0, rel=1e-5)  # each term over its own mean of the tenth epoch
    loss.end_epoch()
    assert loss(0 * x, y).item() == pytest.approx(6.0, rel=1e-5)


def test_epochs_without_the_loss_do_not_count() -> None:
    loss = DeepFeatureLoss()
    loss.end_epoch()
    assert loss.epochs == 0


def test_gradients_reach_the_restored_signal_and_not_the_judge() -> None:
    loss, network, x = DeepFeatureLoss(), judge().train(), draw(1, 1, 256).requires_grad_(True)
    loss.ask(network)
    means = [value.clone() for value in network.buffers()]
    loss(x, draw(1, 1, 256, seed=1)).backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(*pair) for pair in zip(network.buffers(), means, strict=True))
    assert network.training
    assert not any("judge" in name for name in loss.state_dict())


@pytest.mark.parametrize(("epoch", "moved"), [(0, "classifier"), (1, "net")])
def test_only_the_networks_of_the_stage_get_gradients(epoch: int, moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = at_epoch(make(), epoch, monkeypatch)
    module.training_step(batch(), 0).backward()
    reached = {name.partition(".")[0] for name, value in module.named_parameters() if value.grad is not None}
    assert reached == {moved}


def test_tasks_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    module = at_epoch(make(), 0, monkeypatch)
    for number in range(4):
        module.zero_grad()
        module.training_step(batch(), number).backward()
        heads = module.classifier.heads  # type: ignore[union-attr]
        assert [head.weight.grad is not None for head in heads] == [number % 2 == 0, number % 2 == 1]


def test_data_without_labels_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    module = at_epoch(make(), 0, monkeypatch)
    assert module.needs_labels
    with pytest.raises(ValueError, match="the data offer none; give model.loss_network"):
        module.training_step({name: value for name, value in batch().items() if name != "labels"}, 0)


def test_other_recipes_need_a_run_to_compare_by() -> None:
    module = RegressionModule(DilatedDenoiser(2, 3), RATE_HZ, {"deep_feature": 0.5}, OPTIMIZER)
    with pytest.raises(ValueError, match=r"model.loss_weights.deep_feature=0.5 needs model.loss_network, the folder of a run"):
        module.prepare_training()
    with pytest.raises(ValueError, match="model.loss_weights.deep_feature needs model.loss_network"):
        module.loss.terms(draw(1, 1, 99), draw(1, 1, 99))


def written(folder: Path, module: DeepFeatureModule, rate_hz: int = RATE_HZ) -> str:
    described = {"_target_": "models.dilated_denoiser.SoundClassifier", "_partial_": True, **CLASSIFIER}
    config = {"_target_": "lightning_modules.deep_feature.DeepFeatureModule", "sample_rate": rate_hz, "classifier": described}
    torch.save({"model_config": config, "state_dict": module.state_dict()}, folder / "a.ckpt")
    return str(folder / "a.ckpt")


def test_classifier_of_a_run_is_compared_by(tmp_path: Path) -> None:
    taught = make()
    loss, x, y = ReconstructionLoss({"deep_feature": 1.0}), draw(1, 1, 256), draw(1, 1, 256, seed=1)
    open_loss_network(loss, written(tmp_path, taught), RATE_HZ)
    assert taught.loss.deep_feature is not None
    torch.testing.assert_close(loss.terms(x, y)["deep_feature"], taught.loss.deep_feature(x, y))
    module = make(loss_network=str(tmp_path / "a.ckpt"))
    module.prepare_training()
    assert (module.classifier, module.needs_labels) == (None, False)
    torch.testing.assert_close(module.loss.terms(x, y)["deep_feature"], loss.terms(x, y)["deep_feature"])


def test_run_that_is_of_no_use_is_refused(tmp_path: Path) -> None:
    loss = ReconstructionLoss({"deep_feature": 1.0})
    with pytest.raises(ValueError, match=r"model.loss_network=/nowhere: no such run folder"):
        open_loss_network(loss, "/nowhere", RATE_HZ)
    with pytest.raises(ValueError, match="8000"):
        open_loss_network(loss, written(tmp_path, make(), 8000), RATE_HZ)
    torch.save({"model_config": {"_target_": "x"}, "state_dict": {}}, tmp_path / "b.ckpt")
    with pytest.raises(ValueError, match="was not written by a run of model=deep_feature or model=deep_feature_mel that trained"):
        open_loss_network(loss, str(tmp_path / "b.ckpt"), RATE_HZ)


MEL = {"sample_rate": RATE_HZ, "bands": 16, "channels": 2, "tasks": 2, "classes": 3}


def written_mel(folder: Path) -> tuple[str, DeepFeatureModule]:
    taught = make(classifier=partial(MelClassifier, **MEL))
    described = {"_target_": "models.mel_classifier.MelClassifier", "_partial_": True, **MEL}
    config = {"sample_rate": RATE_HZ, "classifier": described}
    torch.save({"model_config": config, "state_dict": taught.state_dict()}, folder / "m.ckpt")
    return str(folder / "m.ckpt"), taught


def test_log_mel_features_are_a_loss_and_a_metric(tmp_path: Path) -> None:
    file, taught = written_mel(tmp_path)
    loss, x, y = ReconstructionLoss({"deep_feature": 1.0}), draw(1, 1, 512).requires_grad_(True), draw(1, 1, 512, seed=1)
    open_loss_network(loss, file, RATE_HZ)
    loss.terms(x, y)["deep_feature"].backward()
    assert x.grad is not None and x.grad.isfinite().all() and x.grad.abs().sum() > 0
    judge, own = open_distance(file, RATE_HZ).judge.state_dict(), taught.classifier.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(judge[name], value) for name, value in own.items())


def test_metric_refuses_a_classifier_of_waveforms_and_another_rate(tmp_path: Path) -> None:
    told = r"test_deep_features=.*a.ckpt was not written by a run of model=deep_feature_mel that trained a classifier"
    with pytest.raises(ValueError, match=told):
        open_distance(written(tmp_path, make()), RATE_HZ)
    with pytest.raises(ValueError, match=r"works at 4000 Hz, this run at 8000 Hz"):
        open_distance(written_mel(tmp_path)[0], 8000)
