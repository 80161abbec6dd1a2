"""The Hydra configuration, a package so that installed entry points find it."""
