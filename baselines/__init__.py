"""Baselines: what a variant is compared to, registered by the entry point anybody's package uses."""
