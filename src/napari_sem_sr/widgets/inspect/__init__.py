"""The dock Inspect."""
