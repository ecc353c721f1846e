"""The dock Upscale."""
