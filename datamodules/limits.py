"""Limits of what every part of the suite works with."""

LOWEST_RATE_HZ = 4000
HIGHEST_RATE_HZ = 200_000
