"""Artificial reverberation by Freeverb, with the arguments of SoX's `reverb`.

Freeverb is the public-domain algorithm of Jezar at Dreampoint: eight comb filters side by side, whose loops lose high
frequencies, then four all-pass filters after each other. Delays, percentages and the scale of the wet signal mean what they mean
in SoX 14.4. Billotais/Denoising-with-Generative-Models passes it `reverberance` 80, `hf_damping` 100, `room_scale` 100,
`stereo_depth` 100 and `pre_delay` 40 ms, whatever its own arguments say.
"""

import math

import torch
from torch import Tensor

from datamodules import draws
from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import convolve
from datamodules.corruptions.dsp.transfer import Circle
from datamodules.corruptions.settings import range_within
from datamodules.draws import Range

COMBS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
ALL_PASSES = (225, 341, 441, 556)
DELAYS_AT_HZ = 44_100
STEREO_SAMPLES = 12
WET_SCALE = 0.015
ALL_PASS_GAIN = 0.5


class Freeverb(Corruption):
    """Add the reverberation of a drawn strength; the direct sound keeps its place and level.

    Each of two channels hears the reverberation of both, by delays that differ; of other numbers of channels each hears its own.
    """

    def __init__(
        self,
        reverberance: Range = (20.0, 80.0),
        hf_damping: float = 50.0,
        room_scale: float = 100.0,
        stereo_depth: float = 100.0,
        pre_delay_ms: float = 0.0,
        wet_gain_db: float = 0.0,
        wet_only: bool = False,
    ) -> None:
        """Check the settings.

        Args:
            reverberance: 0 to 100, from 0.1 s to 10 s of reverberation.
            hf_damping: 0 to 100, how much faster high frequencies decay.
            room_scale: 0 to 100, how long the delays are: a tenth at 0, all at 100.
            stereo_depth: 0 to 100, how much the delays of two channels differ.
            pre_delay_ms: 0 to 500, before the reverberation begins, in milliseconds.
            wet_gain_db: -60 to 20, of the reverberation in dB.
            wet_only: whether the direct sound is left out. Nothing is then heard before the first reflection.

        Raises:
            ValueError: if a number is outside of its range.
        """
        self._reverberance = range_within(reverberance, "reverberance", 0, 100)
        self._hf_damping = range_within(hf_damping, "hf_damping", 0, 100)[0]
        self._room_scale = range_within(room_scale, "room_scale", 0, 100)[0]
        self._stereo_depth = range_within(stereo_depth, "stereo_depth", 0, 100)[0]
        self._pre_delay_ms = range_within(pre_delay_ms, "pre_delay_ms", 0, 500)[0]
        self._wet_gain_db = range_within(wet_gain_db, "wet_gain_db", -60, 20)[0]
        self._wet_only = wet_only

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the reverberant batch; see `Corruption`. No sound from before the window is heard in it."""
        audio = clean.to(torch.promote_types(clean.dtype, torch.float32))
        drawn = draws.uniform(*self._reverberance, (audio.shape[0],), generator)
        gain = feedback(drawn).to(audio.device, torch.float32)
        wet = torch.stack([convolve(part, self._response(side, gain, audio, sample_rate), 0) for side, part in self._fed(audio)])
        heard = wet.sum(0) if len(wet) == 1 else wet.transpose(0, 1)[:, :, 0]
        return (heard if self._wet_only else audio + heard).to(clean.dtype)

    def _fed(self, audio: Tensor) -> list[tuple[float, Tensor]]:
        """Return what goes into each filter: how far its delays are apart from the others, and (B, C, T)."""
        if audio.shape[1] != 2 or self._stereo_depth == 0:
            return [(0.0, audio)]
        middle = audio.mean(dim=1, keepdim=True)
        return [(0.0, middle), (self._stereo_depth / 100, middle)]

    def _response(self, side: float, gain: Tensor, audio: Tensor, sample_rate: int) -> Tensor:
        """Compute the impulse response of the wet signal, (B, T)."""
        circle = Circle(audio.shape[-1], audio.device)
        damping = 0.2 + 0.3 * self._hf_damping / 100
        low_pass = (1 - damping) / (1 - damping * circle.delay(_whole(1.0, audio)))
        scale = sample_rate / DELAYS_AT_HZ
        room = 0.1 + 0.9 * self._room_scale / 100
        total = torch.zeros_like(low_pass)
        for index, samples in enumerate(COMBS):
            delayed = circle.delay(_whole(room * scale * (samples + _apart(side, index)), audio))
            total = total + delayed / (1 - gain[:, None] * low_pass * delayed)
        for index, samples in enumerate(ALL_PASSES):
            delayed = circle.delay(_whole(scale * (samples + _apart(side, index)), audio))
            total = total * ((1 + ALL_PASS_GAIN) * delayed - 1) / (1 - ALL_PASS_GAIN * delayed)
        before = circle.delay(_whole(self._pre_delay_ms / 1000 * sample_rate, audio))
        level = WET_SCALE * 10 ** (self._wet_gain_db / 20)
        return (level * circle.response(total * before)).to(audio.dtype)


def feedback(reverberance: Tensor) -> Tensor:
    """Return the gain of the combs' loops, 0.3 at 0 % and 0.98 at 100 %, on a logarithmic scale of its distance from 1.

    Args:
        reverberance: 0 to 100, (B,).

    Returns:
        (B,).

    Example:
        >>> feedback(torch.tensor([0.0, 50.0, 100.0])).round(decimals=4).tolist()
        [0.30000001192092896, 0.8816999793052673, 0.9800000190734863]
    """
    return 1 - torch.exp(math.log(0.7) + reverberance / 100 * math.log(0.02 / 0.7))


def _apart(side: float, index: int) -> float:
    """Return by how many samples a delay of one side differs: every second one is shorter instead of longer."""
    return STEREO_SAMPLES * side * (1 if index % 2 == 0 else -1)


def _whole(samples: float, audio: Tensor) -> Tensor:
    """Round a delay, (1,) on the device of the audio."""
    return torch.tensor([math.floor(samples + 0.5)], device=audio.device)
