"""Comparing translations by eye: a page that people answer, and what their answers say (`bench ballot`)."""
