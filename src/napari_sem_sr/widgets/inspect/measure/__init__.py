"""The tab Measure."""
