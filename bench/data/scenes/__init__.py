"""Embedded data: rendered scenes with their true counterfactual, foreground and objects."""
