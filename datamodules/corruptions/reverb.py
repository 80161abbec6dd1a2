"""Reverberation by simulated rooms and recorded responses, aligned on the direct sound, which keeps its level."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules import draws
from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import convolve
from datamodules.corruptions.dsp.rooms import simulate_responses
from datamodules.corruptions.recorded.responses import RecordedResponses
from datamodules.corruptions.settings import known_names, positive_range
from datamodules.draws import Range
from datamodules.splits import Split

ORIGINS = ("simulated", "recorded")


class Reverb(Corruption):
    """Put each example into a room; all its channels hear the same response."""

    def __init__(
        self,
        responses: Sequence[str] = ("simulated",),
        t60_s: Range = (0.2, 1.2),
        drr_db: Range = (-5.0, 10.0),
        rir_root: str | None = None,
        rir_split: str | None = "matching",
    ) -> None:
        """Store what is drawn from.

        Args:
            responses: origins of which each example draws one: `simulated`, `recorded`.
            t60_s: reverberation time of simulated rooms in seconds.
            drr_db: ratio of direct to reverberant energy of simulated rooms in dB.
            rir_root: folder of the recorded responses, needed by `recorded`.
            rir_split: of a folder whose MANIFEST.csv has a column `split`, `matching` uses in each split of the clean audio
                the responses of the same split; `train`, `val` or `test` those of this split; None all of them.

        Raises:
            ValueError: if an origin is unknown, a range is not one, or the recordings are missing.
        """
        self._origins = known_names(responses, "responses", ORIGINS)
        self._t60_s = positive_range(t60_s, "t60_s")
        self._drr_db = draws.as_range(drr_db, "drr_db")
        if "recorded" in self._origins and rir_root is None:
            raise ValueError("responses include 'recorded', which needs rir_root, a folder of impulse responses")
        self._recorded = RecordedResponses(rir_root, rir_split) if rir_root and "recorded" in self._origins else None

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per recorded response that could not be used."""
        return [] if self._recorded is None else self._recorded.skipped

    def for_split(self, split: Split) -> "Reverb":
        """Return the reverberation for one split of the clean audio; see `Corruption.for_split`."""
        if self._recorded is None:
            return self
        chosen = copy.copy(self)
        chosen._recorded = self._recorded.for_split(split)
        return chosen

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the reverberant batch; see `Corruption`. No sound from before the window is heard in it."""
        audio = clean.to(torch.promote_types(clean.dtype, torch.float32))
        origins = [self._origins[index] for index in draws.choices(len(self._origins), (clean.shape[0],), generator).tolist()]
        reverberant = torch.empty_like(audio)
        for origin, rows in draws.rows_by_value(origins).items():
            responses, direct_samples = self._draw_responses(origin, len(rows), sample_rate, generator)
            reverberant[rows] = convolve(audio[rows], responses.to(audio), direct_samples)
        return reverberant.to(clean.dtype)

    def _draw_responses(self, origin: str, count: int, sample_rate: int, generator: torch.Generator) -> tuple[Tensor, int]:
        if origin == "recorded" and self._recorded is not None:
            return self._recorded.draw(count, sample_rate, generator)
        t60_s = draws.uniform(*self._t60_s, (count,), generator)
        drr_db = draws.uniform(*self._drr_db, (count,), generator)
        return simulate_responses(t60_s, drr_db, sample_rate, generator), 0
