"""Recorded noises and room responses, as corruptions use them."""
