"""Studies: grids of cells, declared beforehand, planned, executed and summed up."""
