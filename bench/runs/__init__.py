"""The run folder: one run's files, written so that a reader never sees half of one. Imports no torch."""
