"""Corruptions turn clean audio into damaged audio, a whole batch at a time; one family per file."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from datamodules.splits import Split


class Corruption(ABC):
    """Damage a batch with independent draws per example.

    A family keeps no state after its construction, never modifies its input, keeps the length, and delays nothing: the corrupted
    audio stays aligned with the clean audio. The exceptions are the mode `hold_causal` of `Quantize`, which repeats a published
    experiment, `wet_only` of `Freeverb`, which leaves the direct sound out, and other people's code (`TorchaudioEffects`,
    `AnyCallable`), whose delays and levels are its own. The level of what is not removed is unchanged, and a silent example stays
    finite.

    Only `__call__` has to be written. A family overrides `check` where not every rate or number of channels is possible,
    `cutoff_hz` where it limits the band, and `for_split` and `skipped` where it draws from files.
    """

    @abstractmethod
    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return a corrupted copy of a batch.

        Args:
            clean: audio, (B, C, T), on any device.
            sample_rate: its rate in Hz.
            generator: only source of randomness. It may live on another device than the audio.

        Returns:
            Corrupted audio, (B, C, T), with the type and device of `clean`.
        """

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file of its own that could not be used; they may become more while damage is found."""
        return []

    def for_split(self, split: Split) -> "Corruption":
        """Return what the corruption is in one split: the recordings that it uses may be held out like the clean ones.

        Args:
            split: the split of the clean recordings that are to be corrupted.

        Returns:
            A corruption for this split; the same one where nothing depends on the split.

        Raises:
            ValueError: if nothing is left to use in this split.
        """
        return self

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the frequency in Hz above which everything is removed; half the sample rate where the band is not limited."""
        return sample_rate / 2

    def check(self, sample_rate: int, channels: int) -> None:  # noqa: B027  # Refusing nothing is the default.
        """Refuse audio on which the corruption cannot work, before any is read; by default none is refused.

        Args:
            sample_rate: rate in Hz.
            channels: count.

        Raises:
            ValueError: if it cannot; the message begins with the name of the setting and says what to change.
        """

    def check_under(self, key: str, sample_rate: int, channels: int) -> None:
        """Refuse what `check` refuses, in a message that begins with the whole key of the setting.

        Args:
            key: of the corruption in the configuration of the one that asks, such as `steps.1`.
            sample_rate: rate in Hz.
            channels: count.

        Raises:
            ValueError: if `check` does.
        """
        try:
            self.check(sample_rate, channels)
        except ValueError as error:
            raise ValueError(f"{key}.{error}") from error
