"""Tables: what is counted (`model`, one module per table), and how it is written (markdown, html, latex, csv)."""
