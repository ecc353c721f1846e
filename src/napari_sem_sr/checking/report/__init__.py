"""What a check says: ``report.json``, ``regions.csv`` and the page ``report.html``."""
