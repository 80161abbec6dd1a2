"""Evaluation of checkpoints and of methods without training, on the real configuration."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from conf.settings import EvaluateSettings, TrainSettings
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.train import train
from models.mel_classifier import MelClassifier

Config = Callable[..., EvaluateSettings]
TINY_NET = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]


@pytest.fixture
def config(evaluate_config: Config) -> Config:
    return evaluate_config


def test_checkpoint_scores_as_it_did_when_trained(
    train_config: Callable[..., TrainSettings], config: Config, tmp_path: Path
) -> None:
    trained = train(train_config(*TINY_NET, "examples=1"))
    result = evaluate(config(f"checkpoint={tmp_path / 'run'}", "baselines=[sinc]"))
    assert result["metrics"] == pytest.approx(trained["metrics"], abs=1e-4)
    assert result["manifest_hash"] == trained["manifest_hash"]
    assert list(result["methods"]) == ["corrupted", "sinc", "run"]


def test_checkpoint_is_evaluated_at_its_own_rate(
    train_config: Callable[..., TrainSettings], config: Config, tmp_path: Path
) -> None:
    train(train_config(*TINY_NET, "examples=0"))
    result = evaluate(config(f"checkpoint={tmp_path / 'run'}", "data.sample_rate=8000", "baselines=[]"))
    assert result["sample_rate_hz"] == 4000


def test_pairs_differ_when_the_corruption_does(config: Config) -> None:
    hashes = [
        evaluate(config("model=sinc", "baselines=[]", f"corruption.snr_db={snr_db}", run=str(snr_db)))["manifest_hash"]
        for snr_db in (5, 10)
    ]
    assert hashes[0] != hashes[1]


def test_every_method_without_training_is_scored_on_the_same_pairs(config: Config, tmp_path: Path) -> None:
    result = evaluate(config("model=wiener_oracle", "corruption.colors=[white]", "corruption.snr_db=5"))
    methods = result["methods"]
    controls = {"wiener", "sinc", "cubic_spline", "spline_white", "noise_fill", "ar_declick", "consistent_declip"}
    assert set(methods) == {"corrupted", *controls, "method"}
    assert methods["corrupted"]["snr_db"] == pytest.approx(5, abs=0.05)
    assert methods["method"]["kind"] == "oracle"
    assert methods["method"]["snr_db"] > methods["corrupted"]["snr_db"] + 3
    assert (tmp_path / "evaluation" / "per_example.csv").is_file()
    assert json.loads((tmp_path / "evaluation" / "result.json").read_text(encoding="utf-8"))["pairs"] == result["pairs"]


def test_method_with_parameters_that_needs_no_training_is_evaluated(config: Config) -> None:
    shape = ["+model.net.depth=2", "+model.net.channels=[4,4]", "+model.net.kernels=[9,5]"]
    net = ["~model.net", "+model.net._target_=models.unet.UNet", *shape]
    assert evaluate(config("model=sinc", "baselines=[]", *net))["params"] > 0


def test_method_that_needs_training_is_not_evaluated_without_a_checkpoint(config: Config) -> None:
    with pytest.raises(ValueError, match="model=method needs training; evaluate its run with checkpoint=PATH"):
        evaluate(config("model=autoencoder_small", "baselines=[]"))


TINY_RNN = ["model=conv_rnn", "model.net.steps=4", "model.net.state_channels=8", "model.net.hidden_channels=8"]


def test_method_in_steps_has_a_row_for_every_step_asked_for(
    train_config: Callable[..., TrainSettings], config: Config, tmp_path: Path
) -> None:
    trained = train(train_config(*TINY_RNN, "examples=1"))
    result = evaluate(config(f"checkpoint={tmp_path / 'run'}", "baselines=[]", "steps=[0,2,4,6]"))
    methods = result["methods"]
    assert list(methods) == ["corrupted", "run@0", "run@2", "run@4", "run@6", "run"]
    for metric in ("si_sdr_db", "lsd"):
        assert methods["run@0"][metric] == pytest.approx(methods["corrupted"][metric])
        assert methods["run@4"][metric] == pytest.approx(methods["run"][metric])
        rows = [methods["corrupted"][metric], methods["run@2"][metric], methods["run"][metric]]
        assert result["by_step"][metric][::2] == pytest.approx(rows, abs=1e-4)
    assert result["by_step"] == trained["by_step"]
    assert "run@" not in result["verdict"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=sinc", "steps=[2]"], "steps=2: this method does not work in steps"),
        (["model=sinc", "steps=4"], "steps=4 must be a list"),
        (["model=sinc", "steps=all"], "steps=all must be a list"),
        ([], "name what to evaluate: either checkpoint=PATH or model=NAME"),
        (["checkpoint=a.ckpt", "model=sinc"], "name what to evaluate"),
        (["checkpoint=a.ckpt"], "a.ckpt: no such checkpoint file"),
        (["model=sinc", "data.root=/nonexistent"], "data.root"),
        (["model=sinc", "monitor=test/sisdr"], "monitor=test/sisdr"),
    ],
)
def test_mistake_is_one_sentence(config: Config, overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(config(*overrides))


def test_features_of_a_classifier_are_a_metric_of_every_row_pair_and_condition(config: Config, tmp_path: Path) -> None:
    mel = {"sample_rate": 4000, "bands": 16, "channels": 2, "tasks": 1, "classes": 3}
    weights = {f"classifier.{name}": value for name, value in MelClassifier(**mel).state_dict().items()}
    described = {"_target_": "models.mel_classifier.MelClassifier", "_partial_": True, **mel}
    torch.save({"model_config": {"sample_rate": 4000, "classifier": described}, "state_dict": weights}, tmp_path / "a.ckpt")
    given = ("model=sinc", "baselines=[wiener]", "conditions={snr_db:[0,10]}", "examples=0", "test_probes=[]")
    without, result = (
        evaluate(config(*given, *judge, run=str(len(judge)))) for judge in ([], [f"test_deep_features={tmp_path / 'a.ckpt'}"])
    )
    assert "mel_features" not in without["methods"]["method"] and "deep_features" not in without
    assert all(0 < row["mel_features"] < 2 for row in result["methods"].values()) and len(result["deep_features"]) == 12
    conditions = json.loads((tmp_path / "1" / "conditions.json").read_text(encoding="utf-8"))["conditions"]
    noisy, quieter = (condition["methods"]["corrupted"]["mel_features"] for condition in conditions)
    assert noisy > quieter
    head = (tmp_path / "1" / "per_example.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"mel_features", "corrupted_mel_features"} <= set(head)


def test_run_without_a_classifier_is_refused_before_a_folder_is_made(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"test_deep_features=/nowhere: no such run folder, checkpoint file or shipped model"):
        evaluate(config("model=sinc", "test_deep_features=/nowhere"))
    assert not (tmp_path / "evaluation").exists()
