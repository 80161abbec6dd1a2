"""Limits of what every part of the suite works with."""

LOWEST_RATE_HZ = 4000
HIGHEST_RATE_HZ = 200_000
FLAC_EXACT_UP_TO_HZ = 65_535
"""Higher rates have to be multiples of 10 Hz in the FLAC files that examples and synthetic music are written to."""


def check_sample_rate(sample_rate: int) -> None:
    """Refuse a rate at which not every part of the suite works.

    Args:
        sample_rate: in Hz.

    Raises:
        ValueError: if it is no whole number from 4,000 to 200,000, or above 65,535 no multiple of 10.
    """
    if not isinstance(sample_rate, int) or not LOWEST_RATE_HZ <= sample_rate <= HIGHEST_RATE_HZ:
        raise ValueError(
            f"data.sample_rate={sample_rate} must be a whole number of Hz from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}"
        )
    if sample_rate > FLAC_EXACT_UP_TO_HZ and sample_rate % 10:
        raise ValueError(
            f"data.sample_rate={sample_rate} must be a multiple of 10 Hz, as FLAC files have it above {FLAC_EXACT_UP_TO_HZ} Hz"
        )
