"""Warnings about an adversarial training: which means call for which sentence, and when each is given."""

import logging

import pytest
import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor, nn

from lightning_modules.training.gan_health import LEAST_STEPS, HealthReport, diagnose, gradient_shares

HEALTHY = {"accuracy_clean": 0.7, "accuracy_restored": 0.65, "share_l2": 0.8, "share_adversarial": 0.2}


def alone(values: Tensor) -> Tensor:
    """Average over one process."""
    return values


def epoch(report: HealthReport, steps: int = LEAST_STEPS, **change: float) -> list[str]:
    """Add the same values in every step of an epoch, and close it."""
    for _ in range(steps):
        report.add({name: torch.tensor(value) for name, value in (HEALTHY | change).items()})
        report.steps += 1
    return report.close_epoch(alone)


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        ({}, []),
        ({"accuracy_clean": 0.995, "accuracy_restored": 1.0}, ["won"]),
        ({"accuracy_clean": 1.0, "accuracy_restored": 0.5}, []),
        ({"accuracy_clean": 0.0, "accuracy_restored": 1.0}, ["collapsed"]),
        ({"accuracy_clean": 0.999, "accuracy_restored": 0.01}, ["collapsed"]),
        ({"share_l2": 0.96, "share_adversarial": 0.04}, ["dominates_l2"]),
        ({"share_l2": 0.01, "share_adversarial": 0.99}, ["dominates_adversarial"]),
        ({"share_l2": 0.5, "share_adversarial": 0.0, "share_feature": 0.5}, ["idle_adversarial"]),
        ({"share_l2": 0.5, "share_adversarial": 0.006, "share_feature": 0.494}, []),
        ({"share_l2": 0.998, "share_adversarial": 0.002}, ["dominates_l2", "idle_adversarial"]),
        ({"share_l2": 0.0, "share_adversarial": 0.0}, []),
    ],
)
def test_what_is_wrong_is_told_and_nothing_else(change: dict[str, float], topics: list[str]) -> None:
    assert sorted(diagnose(HEALTHY | change)) == topics


def test_term_without_company_does_not_dominate() -> None:
    assert diagnose({"share_l2": 1.0}) == {}


def test_sentence_names_what_the_discriminator_says_and_what_to_change() -> None:
    assert "calls nearly everything restored" in diagnose(HEALTHY | {"accuracy_clean": 0.0})["collapsed"]
    dominates = diagnose({"share_l2": 0.01, "share_feature": 0.01, "share_adversarial": 0.98})["dominates_adversarial"]
    assert dominates.endswith(
        "raise model.loss_weights.l2 and model.loss_weights.feature, or lower model.loss_weights.adversarial"
    )
    assert diagnose(HEALTHY | {"share_adversarial": 1e-5})["idle_adversarial"] == (
        "the loss term adversarial makes up only 0.00% of the generator's gradient and does nothing; "
        "raise model.loss_weights.adversarial"
    )


def test_first_steps_are_not_judged_and_short_epochs_are_judged_together(caplog: pytest.LogCaptureFixture) -> None:
    report = HealthReport()
    assert epoch(report, LEAST_STEPS // 2, accuracy_clean=0.98, accuracy_restored=1.0) == []
    with caplog.at_level(logging.WARNING):
        (sentence,) = epoch(report, LEAST_STEPS // 2, accuracy_clean=1.0, accuracy_restored=1.0)  # mean 0.99 in float32
    assert "99.0% of the clean and 100.0% of the restored" in sentence
    assert caplog.messages == [sentence]


def test_topic_is_told_once_while_it_lasts_and_again_when_it_comes_back() -> None:
    report, bad = HealthReport(), {"accuracy_clean": 0.0}
    told = [len(epoch(report, **values)) for values in (bad, bad, {}, bad)]
    assert told == [1, 0, 0, 1]


def test_values_that_were_judged_do_not_leak_into_the_next_judgment() -> None:
    report = HealthReport()
    epoch(report, accuracy_clean=0.0)
    assert "won" in epoch(report, accuracy_clean=1.0, accuracy_restored=1.0)[0]


def test_means_over_the_processes_are_judged_and_only_the_first_process_warns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    report = HealthReport()
    report.steps = LEAST_STEPS
    report.add({"accuracy_clean": torch.tensor(1.0), "accuracy_restored": torch.tensor(1.0)})
    assert report.close_epoch(lambda means: means - 0.2) == []
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    assert len(epoch(report, accuracy_clean=0.0)) == 1
    assert caplog.messages == []


def test_share_is_a_gradients_norm_over_the_sum_of_norms_and_a_term_without_gradient_has_none() -> None:
    net = nn.Linear(2, 1, bias=False)
    output = net(torch.tensor([[3.0, 4.0]])).sum()  # gradient of norm 5
    still = torch.tensor(7.0, requires_grad=True) * 1
    shares = gradient_shares({"a": output, "b": 3 * output, "c": still}, net)
    assert {name: share.item() for name, share in shares.items()} == pytest.approx({"a": 0.25, "b": 0.75, "c": 0.0})
