"""From teacher images to (LR, HR) pairs."""
