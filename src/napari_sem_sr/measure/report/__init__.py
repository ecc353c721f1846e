"""What a measurement says: JSON, CSV and one page."""
