"""The deep prior: its published size, its mask against NumPy, the same fit every time, and what a fit makes of tones in noise."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from conf.compose import method_config
from lightning_modules.fitted import FittedModule
from lightning_modules.metrics.snr import si_sdr_db
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.stepwise import with_num_steps
from models.deep_prior import DeepPrior, DeepPriorPublished, mask_of
from models.layers.setting_error import SettingError
from models.layers.wave_unet import WaveUNet
from tests.restore.conftest import call

RATE_HZ = 4000


def tones(seconds: float) -> Tensor:
    time = torch.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return torch.stack([0.2 * torch.sin(2 * math.pi * hz * time + hz) for hz in (220, 440, 880)]).sum(dim=0)[None, None]


def noise(like: Tensor, seed: int = 1) -> Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))


def small(steps: int, **settings: float) -> DeepPrior:
    return DeepPrior(RATE_HZ, levels=3, channels=4, steps=steps, lr=5e-3, **settings)  # type: ignore[arg-type]


def test_published_network_has_as_many_weights() -> None:
    config = method_config("dnp_published", 16000)
    with torch.device("meta"):
        network = WaveUNet(config["net"]["levels"], config["net"]["channels"], torch.Generator())
    assert sum(parameter.numel() for parameter in network.parameters()) == 9_279_602


def test_network_keeps_lengths_and_its_output_lies_between_one_and_one() -> None:
    network = WaveUNet(3, 4, torch.Generator().manual_seed(0))
    for samples in (network.shortest, 64):
        output = network(noise(torch.zeros(1, 1, samples)))
        assert output.shape == (1, 1, samples)
        assert output.abs().max() < 1


def test_mask_is_what_has_changed_least_by_deciles() -> None:
    changes = np.random.default_rng(0).gamma(2.0, size=(1, 9, 21))
    low, high = np.quantile(changes, [0.1, 0.9], method="nearest")
    wanted = np.maximum(1 - (np.clip(changes, low, high) - low) / (high - low), 1e-3)
    np.testing.assert_allclose(mask_of(torch.from_numpy(changes)).numpy(), wanted, atol=1e-6)


def test_gains_are_squared_masks_or_as_published_those_of_amplitudes_with_such_noise() -> None:
    masks = torch.tensor([[[1e-3] * 300, [0.9] * 300, [1.0] * 300]])
    torch.testing.assert_close(small(4).gains(masks), masks.square())
    gains = DeepPriorPublished(RATE_HZ, levels=1, channels=1).gains(masks)[0, :, -1]
    assert gains[0] < 0.06
    assert gains[1] == pytest.approx(99 / 100, abs=5e-3)  # a prior ratio near 99, beside which the rest of the rule is nothing
    assert gains[2] == pytest.approx(1.0, abs=1e-3)


def test_changes_add_up_those_of_the_spectrum_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    net, signal = small(6), noise(torch.zeros(1, 400))
    outputs: list[np.ndarray] = []
    net.network.register_forward_hook(lambda module, given, output: outputs.append(output.detach().numpy()[0, 0, :400]))
    monkeypatch.setattr("models.deep_prior.mask_of", lambda changes: changes)
    found = net.mask(signal)[0].numpy()
    window = np.hanning(net.window.numel() + 1)[:-1]
    padded = [np.pad(output, len(window) // 2) for output in outputs]
    frames = [np.lib.stride_tricks.sliding_window_view(one, len(window))[:: net.hop_samples] for one in padded]
    spectra = [np.abs(np.fft.rfft(frame * window)).T for frame in frames]
    changed = [np.abs(after - before) / after for before, after in pairwise(spectra)]
    np.testing.assert_allclose(found, np.sum(changed[3:], axis=0), rtol=1e-3)  # half of six steps are left out


def test_fits_are_the_same_whatever_was_drawn_before_and_follow_the_seed() -> None:
    signal = tones(0.2)
    torch.manual_seed(1)
    first = small(4)(signal)
    torch.manual_seed(2)
    assert torch.equal(small(4)(signal), first)
    assert not torch.equal(small(4, seed=1)(signal), first)


def test_a_fit_leaves_the_weights_it_starts_from() -> None:
    net = small(4)
    before = [parameter.clone() for parameter in net.parameters()]
    with torch.inference_mode():
        assert not net(tones(0.2)).requires_grad
    assert all(torch.equal(*pair) for pair in zip(net.parameters(), before, strict=True))


def test_tones_in_white_noise_come_out_purer() -> None:
    clean = tones(1.0)
    noisy = clean + 0.11 * noise(clean)
    assert si_sdr_db(small(150)(noisy), clean) > si_sdr_db(noisy, clean) + 1.5


def test_silence_stays_silent() -> None:
    assert not small(4)(torch.zeros(1, 1, 800)).any()


@pytest.mark.parametrize(("settled", "steps"), [(0.0, 250), (1.0, 150)])
def test_a_fit_ends_once_its_mask_settles(settled: float, steps: int) -> None:
    net, calls = DeepPrior(RATE_HZ, levels=1, channels=1, steps=250, settled=settled), list[None]()
    net.network.register_forward_hook(lambda *_: calls.append(None))
    net(tones(0.05))
    assert abs(len(calls) - steps) <= 1


def test_steps_are_those_that_are_asked_for() -> None:
    module = FittedModule(small(4), RATE_HZ)
    assert (module.steps, with_num_steps(module, 7).net.steps, module.net.steps) == (4, 7, 4)
    assert torch.equal(module.with_num_steps(1).restore(tones(0.2)), tones(0.2))
    assert torch.equal(module.with_num_steps(4).restore(tones(0.2)), module.restore(tones(0.2)))
    with pytest.raises(ValueError, match="steps=-1 must be a whole number"):
        module.with_num_steps(-1)
    with pytest.raises(ValueError, match="steps=3: this method does not work in steps"):
        with_num_steps(build_restorer(method_config("wiener", RATE_HZ)), 3)


def test_a_file_is_restored_in_as_many_steps_as_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.wav"
    soundfile.write(source, (tones(0.3) + 0.1 * noise(tones(0.3)))[0, 0].numpy(), RATE_HZ, subtype="FLOAT")
    assert call("dnp", source, "-o", tmp_path / "out", "--steps", 3) == 0
    assert not np.array_equal(soundfile.read(tmp_path / "out" / "a.wav")[0], soundfile.read(source)[0])
    assert call("wiener", source, "-o", tmp_path / "other", "--steps", 3) == 2
    assert "steps=3: this method does not work in steps" in capsys.readouterr().err


def test_settings_are_checked() -> None:
    for setting in ({"lr": -1.0}, {"settled": -0.1}, {"steps": -1}, {"channels": 0}):
        with pytest.raises(SettingError, match=f"{next(iter(setting))}="):
            DeepPrior(RATE_HZ, **{"levels": 2, "channels": 2, **setting})  # type: ignore[arg-type]
