"""What a report answers: `shares` holds every variant against a copy, `answers` puts it into words."""
