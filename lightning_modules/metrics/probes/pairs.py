"""Probes that change what a method is given: nothing to restore, and a passage that is much quieter than what comes before."""

import torch

from lightning_modules.metrics.probes.subject import Subject, mean
from lightning_modules.metrics.snr import si_sdr_db

PROBED_PAIRS = 8
"""Test pairs, evenly spread, that a method is given changed."""
QUIETER_DB = 40.0


def noharm_db(subject: Subject) -> float:
    """Return the SI-SDR in dB of what a method makes of clean signals, which need nothing: 100 if it leaves them alone.

    The mean over 8 test pairs; where the corruption limits the band, a clean signal is one of full band.
    """
    return mean([_si_sdr_db(subject.restore(pair.clean), pair.clean) for pair in subject.pairs.spread(PROBED_PAIRS)])


def si_sdr_quiet_db(subject: Subject) -> float:
    """Return the SI-SDR in dB of a passage that follows the same one 40 dB louder.

    The mean over 8 test pairs, each given twice in one signal. A method that looks at what is near in time and at no level
    beyond has here what it has elsewhere, but for the part of the quiet passage that it sees the loud one from.
    """
    gain = 10 ** (-QUIETER_DB / 20)
    values = []
    for pair in subject.pairs.spread(PROBED_PAIRS):
        restored = subject.restore(torch.cat([pair.corrupted, gain * pair.corrupted], dim=-1))
        values.append(_si_sdr_db(restored[..., pair.clean.shape[-1] :], gain * pair.clean))
    return mean(values)


def _si_sdr_db(restored: torch.Tensor, clean: torch.Tensor) -> float:
    return si_sdr_db(restored[None].cpu(), clean[None].cpu()).item()
