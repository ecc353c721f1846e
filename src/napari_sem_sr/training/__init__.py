"""Training an SRGAN from teacher images alone."""
