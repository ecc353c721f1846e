"""Stacks that are upscaled one after the other."""
