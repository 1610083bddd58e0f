"""Tables: what is counted (one module per table), and how it is written (markdown, latex, csv)."""
