"""Galleries: the same test images for every variant, chosen by printed rules, never by hand."""
