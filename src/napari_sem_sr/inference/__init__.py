"""Upscaling: one slice on any device, a whole stack with resume, what is on screen, a cluster."""
