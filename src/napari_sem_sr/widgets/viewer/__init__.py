"""The viewer: layers, overlays, samples, and what it remembers."""
