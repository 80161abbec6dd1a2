"""Warnings about an adversarial training: which means call for which sentence, and that each is given once."""

import logging

import pytest
import torch

from lightning_modules.gan_health import HealthReport, complaints

HEALTHY = {"accuracy_clean": 0.7, "accuracy_restored": 0.65, "share_l2": 0.8, "share_adversarial": 0.2}


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
    ],
)
def test_what_is_wrong_is_told_and_nothing_else(change: dict[str, float], topics: list[str]) -> None:
    assert sorted(complaints(HEALTHY | change)) == topics


def test_term_without_company_does_not_dominate() -> None:
    assert complaints({"share_l2": 1.0}) == {}


def test_sentence_names_what_the_discriminator_says_and_what_to_change() -> None:
    assert "calls nearly everything restored" in complaints(HEALTHY | {"accuracy_clean": 0.0})["collapsed"]
    assert "model.loss_weights.adversarial" in complaints(HEALTHY | {"share_adversarial": 0.99})["dominates_adversarial"]


def test_report_averages_an_epoch_and_tells_each_topic_once(caplog: pytest.LogCaptureFixture) -> None:
    report = HealthReport()
    for accuracy in (1.0, 0.99):  # mean 0.995
        report.add({"accuracy_clean": torch.tensor(accuracy), "accuracy_restored": torch.tensor(1.0)})
    with caplog.at_level(logging.WARNING):
        assert len(report.close_epoch()) == 1
    assert "99.5%" in caplog.text
    report.add({"accuracy_clean": torch.tensor(1.0), "accuracy_restored": torch.tensor(1.0)})
    assert report.close_epoch() == []


def test_values_of_an_epoch_do_not_leak_into_the_next() -> None:
    report = HealthReport()
    report.add({"accuracy_clean": torch.tensor(0.0), "accuracy_restored": torch.tensor(0.5)})
    report.close_epoch()
    report.add({"accuracy_clean": torch.tensor(1.0), "accuracy_restored": torch.tensor(1.0)})
    assert "won" in report.close_epoch()[0]
