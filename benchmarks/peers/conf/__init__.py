"""Configuration files of the peers, for Hydra to find."""
