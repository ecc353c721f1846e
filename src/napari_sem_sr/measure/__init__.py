"""What a volume is made of: particles, areas, chords, connectivity."""
