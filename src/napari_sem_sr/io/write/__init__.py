"""Stacks and pictures, written whole or not at all."""
