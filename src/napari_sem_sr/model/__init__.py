"""The SRGAN networks, the bundle that carries them, and the zoo of bundles."""
