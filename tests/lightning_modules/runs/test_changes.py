"""A run that goes on with other values: each is told, and what its weights belong to is refused by key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from lightning_modules.runs.card import RunFolderError
from lightning_modules.runs.changes import told_changes, validates_otherwise

CONFIG: dict[str, Any] = {
    "seed": 0,
    "monitor": "val/lsd",
    "mode": "min",
    "ema_decay": 0.9,
    "run_dir": "x",
    "resume": None,
    "trainer": {"max_epochs": 20, "max_steps": None, "limit_val_batches": None},
    "corruption": {"_target_": "c.Noise", "snr_db": [0, 15]},
    "data": {"batch_size": 4, "seed": 0, "sample_rate": 16000, "corruption": {"_target_": "c.Noise", "snr_db": [0, 15]}},
    "model": {
        "_target_": "lightning_modules.mugan.MUGANModule",
        "sample_rate": 16000,
        "net": {"_target_": "models.unet.UNet", "depth": 4, "dropout": 0.0},
        "loss_weights": {"l2": 1.0, "adversarial": 0.1, "feature_matching": 0.0, "feature": 0.0},
        "generator_optimizer": {"_target_": "torch.optim.Adam", "lr": 1e-4, "weight_decay": 0.0},
        "schedulers": {"generator": {"_target_": "torch.optim.lr_scheduler.CosineAnnealingLR", "T_max": 20}},
    },
}


def changed(**values: Any) -> dict[str, Any]:
    config = deepcopy(CONFIG)
    for name, value in values.items():
        *places, leaf = name.split("__")
        node = config
        for place in places:
            node = node[place]
        node[leaf] = value
    return config


def told(**values: Any) -> list[str]:
    return told_changes(Path("runs/a"), CONFIG, changed(**values))


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, []),
        ({"run_dir": "y", "resume": "runs/a"}, []),
        ({"seed": 1, "data__seed": 1}, ["changed: seed=1, was 0"]),
        ({"ema_decay": None}, ["changed: ema_decay=null, was 0.9"]),
        ({"model__generator_optimizer__lr": 1e-6}, ["changed: model.generator_optimizer.lr=1e-06, was 0.0001"]),
        ({"model__generator_optimizer__weight_decay": 0.1}, ["changed: model.generator_optimizer.weight_decay=0.1, was 0.0"]),
        (
            {"model__generator_optimizer___target_": "torch.optim.AdamW"},
            ["changed: model.generator_optimizer._target_=torch.optim.AdamW, was torch.optim.Adam"],
        ),
        ({"model__loss_weights__adversarial": 0.2}, ["changed: model.loss_weights.adversarial=0.2, was 0.1"]),
        ({"model__loss_weights__l2": 0.0}, ["changed: model.loss_weights.l2=0.0, was 1.0"]),
        ({"model__net__dropout": 0.3}, ["changed: model.net.dropout=0.3, was 0.0"]),
        ({"trainer__max_epochs": 30, "model__schedulers__generator__T_max": 30}, ["changed: trainer.max_epochs=30, was 20"]),
        ({"trainer__max_steps": 30, "model__schedulers__generator__T_max": 30}, ["changed: trainer.max_steps=30, was null"]),
        ({"trainer__overfit_batches": 0, "trainer__fast_dev_run": False}, []),
        (
            {"corruption__snr_db": 10, "data__corruption": {"_target_": "c.Noise", "snr_db": 10}},
            ["changed: corruption.snr_db=10, was [0, 15]"],
        ),
    ],
)
def test_each_changed_key_is_a_line_with_both_values(values: dict[str, Any], lines: list[str]) -> None:
    assert told(**values) == lines


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model__net__depth": 5}, r"model.net.depth=5 \(it has 4\)"),
        (
            {"model__net": {"_target_": "models.conv_rnn.ConvRNN", "steps": 8}},
            r"with model.net._target_=\S+ \(it has \S+\); what",
        ),
        ({"model___target_": "lightning_modules.regression.RegressionModule"}, r"with model._target_=\S+ \(it has \S+\); what"),
        ({"model__sample_rate": 8000, "data__sample_rate": 8000}, r"with data.sample_rate=8000 \(it has 16000\); what"),
        ({"model__loss_weights__adversarial": 0.0}, r"model.loss_weights.adversarial=0.0 \(it has 0.1\)"),
        ({"model__loss_weights__feature": 1.0}, r"model.loss_weights.feature=1.0 \(it has 0.0\)"),
        ({"model__generator_optimizer___target_": "torch.optim.SGD"}, "model.generator_optimizer._target_=torch.optim.SGD"),
        ({"monitor": "val/snr_db", "mode": "max"}, r"monitor=val/snr_db \(it has val/lsd\), mode=max \(it has min\)"),
    ],
)
def test_what_the_weights_belong_to_is_refused_by_key_with_both_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RunFolderError, match=f"^resume=runs/a: this run cannot go on .*{message}"):
        told(**values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"corruption__snr_db": 10}, True),
        ({"trainer__limit_val_batches": 4}, True),
        ({"data__eval_seconds": 2.0}, True),
        ({"data__batch_size": 8, "seed": 1, "data__seed": 1, "trainer__max_epochs": 30}, False),
    ],
)
def test_scores_are_compared_only_on_the_same_pairs(values: dict[str, Any], expected: bool) -> None:
    assert validates_otherwise(CONFIG, changed(**values)) == expected
    assert not validates_otherwise(None, CONFIG)
