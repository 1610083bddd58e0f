"""Baselines: what a variant is compared to. The entry point `bench.variants` finds those in this package.

Importing the package itself imports no torch: the reports read its published numbers.
"""
