"""How fast this machine upscales, and in how much memory."""
