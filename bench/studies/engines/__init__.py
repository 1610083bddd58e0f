"""Where the cells of a study are executed: an engine a file."""
