"""Low-pass filters and sample rate changes remove what they should, delay nothing and leave the rest alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.interpolate
import scipy.signal
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from datamodules.corruptions.bandwidth import ALL_FAMILIES, Bandwidth, LowPass

RATE_HZ = 16000
MAKERS: list[Callable[..., Any]] = [Bandwidth, LowPass]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def white(batch: int = 2, channels: int = 1, length: int = 8192, seed: int = 99) -> Tensor:
    return torch.randn(batch, channels, length, generator=seeded(seed))


def sine(frequency_hz: float, length: int = 8000, sample_rate: int = RATE_HZ) -> Tensor:
    return torch.sin(2 * torch.pi * frequency_hz / sample_rate * torch.arange(length, dtype=torch.float64)).float().view(1, 1, -1)


def level_db(audio: Tensor) -> float:
    return float(10 * torch.log10(audio[..., 1000:-1000].double().square().mean()))


def delay_samples(clean: Tensor, corrupted: Tensor, highest_fraction: float = 0.08) -> float:
    """Measure the delay of the low frequencies as the slope of the phase of the cross-spectrum."""
    window = torch.hann_window(clean.shape[-1], dtype=torch.float64)
    spectra = [torch.fft.rfft(audio.double().flatten() * window) for audio in (clean, corrupted)]
    cross = (spectra[1] * spectra[0].conj())[1 : int(highest_fraction * clean.shape[-1])]
    omega = torch.arange(1, len(cross) + 1) * (2 * torch.pi / clean.shape[-1])
    weight = cross.abs()
    return float(-(weight * omega * cross.angle()).sum() / (weight * omega.square()).sum())


@pytest.mark.parametrize("interpolation", ["sinc", "cubic", "linear"])
@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_nothing_is_delayed(family: str, interpolation: str) -> None:
    clean = white(1, length=1 << 16)  # Long, because what a soft filter lets fold down looks like noise to the measurement.
    lossy = Bandwidth(4000, filters=[family], interpolation=[interpolation])(clean, RATE_HZ, seeded())
    lag = scipy.signal.correlate(lossy.flatten().numpy(), clean.flatten().numpy()).argmax() - (clean.shape[-1] - 1)
    assert lag == 0
    assert delay_samples(clean, lossy) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_low_pass_has_no_phase(family: str) -> None:
    impulse = torch.zeros(1, 1, 4001)
    impulse[..., 2000] = 1
    response = LowPass(2000, filters=[family])(impulse, RATE_HZ, seeded())
    torch.testing.assert_close(response, response.flip(-1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_low_frequencies_keep_their_level(family: str) -> None:
    clean = sine(100)
    for corruption in (
        LowPass(3000, filters=[family], order=6),
        Bandwidth(8000, filters=[family], order=6, interpolation=["cubic"]),
    ):
        assert level_db(corruption(clean, RATE_HZ, seeded())) == pytest.approx(level_db(clean), abs=0.01)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_frequencies_above_the_low_rate_vanish(family: str) -> None:
    lossy = Bandwidth(4000, filters=[family], interpolation=["sinc"])(white(), RATE_HZ, seeded())
    spectrum = torch.fft.rfft(lossy * torch.hann_window(lossy.shape[-1])).abs().square().mean((0, 1))
    bin_of_2100_hz = round(2100 / RATE_HZ * lossy.shape[-1])
    assert 10 * torch.log10(spectrum[bin_of_2100_hz:].max() / spectrum[:bin_of_2100_hz].max()) < -60


def test_published_low_resolution_input_equals_scipy_decimate_and_spline() -> None:
    clean = white(1, length=4097)
    kuleshov = Bandwidth(4000, ["chebyshev1"], order=8, ripple_db=0.05, cutoff_ratio=0.8, passes=2, interpolation=["cubic"])
    lossy = kuleshov(clean, RATE_HZ, seeded()).flatten().double().numpy()
    decimated = scipy.signal.decimate(clean.flatten().double().numpy(), 4) * 10 ** (
        2 * 0.05 / 20
    )  # SciPy's is 0.1 dB low at 0 Hz.
    expected = scipy.interpolate.CubicSpline(np.arange(0, 4097, 4), decimated)(np.arange(4097))
    np.testing.assert_allclose(lossy[200:-200], expected[200:-200], atol=1e-4)


@pytest.mark.parametrize("interpolation", ["sinc", "cubic", "linear"])
@pytest.mark.parametrize(("sample_rate", "low_rate_hz"), [(16000, 4000), (44100, 14700), (48000, 8000)])
def test_decimation_without_filter_keeps_every_rth_sample(interpolation: str, sample_rate: int, low_rate_hz: int) -> None:
    clean = white(length=4099)
    lossy = Bandwidth(low_rate_hz, aliased=1.0, interpolation=[interpolation])(clean, sample_rate, seeded())
    ratio = sample_rate // low_rate_hz
    torch.testing.assert_close(lossy[..., ::ratio], clean[..., ::ratio], atol=5e-6, rtol=0)


def test_linear_interpolation_is_halfway_between_kept_samples() -> None:
    clean = white(length=2049)
    lossy = Bandwidth(8000, aliased=1.0, interpolation=["linear"])(clean, RATE_HZ, seeded())
    torch.testing.assert_close(lossy[..., 1:-1:2], (clean[..., :-1:2] + clean[..., 2::2]) / 2, atol=5e-6, rtol=0)


@pytest.mark.parametrize("unfiltered", [{"aliased": 1.0}, {"filters": ["none"]}], ids=str)
def test_decimation_without_filter_folds_a_tone_down(unfiltered: dict[str, Any]) -> None:
    lossy = Bandwidth(4000, **unfiltered, interpolation=["sinc"])(sine(3000), RATE_HZ, seeded())
    torch.testing.assert_close(lossy[..., 1000:-1000], -sine(1000)[..., 1000:-1000], atol=2e-3, rtol=0)


@pytest.mark.parametrize("low_rate_hz", [16000, 22050, 11025, [6000, 20000]])
def test_other_ratios_than_whole_ones_keep_the_low_band(low_rate_hz: Any) -> None:
    clean = sine(1000, 20000, 44100)
    lossy = Bandwidth(low_rate_hz, filters=["elliptic"], order=8, ripple_db=0.01, interpolation=["sinc"])(clean, 44100, seeded())
    torch.testing.assert_close(lossy[..., 2000:-2000], clean[..., 2000:-2000], atol=2e-3, rtol=0)


@pytest.mark.parametrize("maker", MAKERS)
def test_loud_end_is_not_heard_at_the_start(maker: Callable[..., Any]) -> None:
    clean = white()
    clean[..., :4096] = 0
    corrupted = maker(filters=ALL_FAMILIES[:-1])(clean, RATE_HZ, seeded())  # A brick wall rings that far by itself.
    assert corrupted[..., :2048].abs().max() < 1e-3 * clean.abs().max()


@pytest.mark.parametrize("maker", MAKERS)
def test_constant_stays_constant_up_to_the_edges(maker: Callable[..., Any]) -> None:
    clean = torch.ones(8, 1, 4000)
    assert (maker()(clean, RATE_HZ, seeded()) - clean).abs().max() < 0.02


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("length", [1, 2, 3, 101, 4093])
@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_any_length_comes_back_finite_and_as_long(maker: Callable[..., Any], length: int, sample_rate: int) -> None:
    clean = white(6, 2, length)
    corrupted = maker()(clean, sample_rate, seeded())
    assert corrupted.shape == clean.shape and corrupted.isfinite().all()


@pytest.mark.parametrize("maker", MAKERS)
def test_input_is_unmodified_and_silence_stays_silent(maker: Callable[..., Any]) -> None:
    clean = white(3)
    clean[1] = 0
    before = clean.clone()
    corrupted = maker()(clean, RATE_HZ, seeded())
    assert torch.equal(clean, before)
    assert corrupted[1].eq(0).all()


@pytest.mark.parametrize("maker", MAKERS)
def test_same_seed_same_draws_and_examples_differ(maker: Callable[..., Any]) -> None:
    clean = white(1).repeat(16, 1, 1)
    corrupted = maker()(clean, RATE_HZ, seeded(5))
    assert torch.equal(corrupted, maker()(clean, RATE_HZ, seeded(5)))
    assert len({round(float(example.square().mean()), 6) for example in corrupted}) > 12


@pytest.mark.parametrize("maker", MAKERS)
def test_channels_share_the_filter(maker: Callable[..., Any]) -> None:
    clean = white(8).repeat(1, 2, 1)
    corrupted = maker()(clean, RATE_HZ, seeded())
    assert torch.equal(corrupted[:, 0], corrupted[:, 1])


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_type_of_the_audio_is_kept(maker: Callable[..., Any], dtype: torch.dtype) -> None:
    assert maker()(white().to(dtype), RATE_HZ, seeded()).dtype == dtype


def test_cutoff_is_half_of_the_lowest_rate() -> None:
    assert Bandwidth([3000, 8000]).cutoff_hz(RATE_HZ) == 1500
    assert LowPass([500, 2000]).cutoff_hz(RATE_HZ) == 500


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": ["gauss"]}, "filters=.*brick_wall"),
        ({"filters": []}, "filters="),
        ({"order": [0, 4]}, "order=.*1 to 16"),
        ({"order": 2.5}, "order="),
        ({"ripple_db": 0}, "ripple_db=0"),
        ({"ripple_db": 50, "stopband_db": 40}, "stopband_db=40"),
        ({"passes": 3}, "passes=3"),
        ({"low_rate_hz": 0}, "low_rate_hz=0"),
        ({"low_rate_hz": [8000, 4000]}, "low_rate_hz="),
        ({"cutoff_ratio": 1.2}, "cutoff_ratio=1.2"),
        ({"aliased": 2}, "aliased=2"),
        ({"interpolation": "sinc"}, "interpolation='sinc'"),
    ],
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Bandwidth(**settings)


def test_rates_above_the_audio_are_refused() -> None:
    with pytest.raises(ValueError, match="low_rate_hz=\\[4000, 16000\\] is not below data.sample_rate=16000: set it below 16000"):
        Bandwidth([4000, 16000])(white(), RATE_HZ, seeded())
    with pytest.raises(ValueError, match="cutoff_hz=8000 is not below half of data.sample_rate=16000: begin below 8000 Hz"):
        LowPass(8000)(white(), RATE_HZ, seeded())


@pytest.mark.parametrize("sample_rate", [4000, 8000, 11025, 14000])
def test_cutoffs_beyond_nyquist_are_not_drawn(sample_rate: int) -> None:
    filtered = LowPass([1000, 7000], filters=["brick_wall"])(white(), sample_rate, seeded())
    power = torch.fft.rfft(filtered * torch.hann_window(filtered.shape[-1])).abs().square()
    nyquist_share = power[..., round(0.9 * power.shape[-1]) :].sum((1, 2)) / power.sum((1, 2))
    assert nyquist_share.max() < 1e-4
    with pytest.raises(ValueError, match=r"cutoff_hz=\[7000, 9000\] is not below half of data.sample_rate"):
        LowPass([7000, 9000])(white(), sample_rate, seeded())


def test_cutoffs_below_nyquist_are_drawn_from_the_whole_range() -> None:
    limited, lower = LowPass([7000, 9000], ["brick_wall"]), LowPass([7000, 7999], ["brick_wall"])
    assert not torch.equal(limited(white(), RATE_HZ, seeded()), lower(white(), RATE_HZ, seeded()))
    assert torch.equal(limited(white(), 14002, seeded()), LowPass(7000, ["brick_wall"])(white(), 14002, seeded()))


@pytest.mark.parametrize("corruption", [Bandwidth([2000, 6000]), Bandwidth(4000), LowPass()])
def test_double_precision_stays_on_the_cpu(corruption: Bandwidth | LowPass) -> None:
    made: set[torch.dtype] = set()

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor) and result.device.type == "meta":
                made.add(result.dtype)
            return result

    with Watch():
        corruption(torch.zeros(12, 1, 4096, device="meta"), RATE_HZ, seeded())
    assert torch.float32 in made and not {torch.float64, torch.complex128} & made
