"""Runs as a person sees them: what a result says of the one that made it, and several one after the other."""
