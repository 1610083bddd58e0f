"""Reports: run folders in; data frames, tables, figures, galleries and one page out. Imports no torch."""
