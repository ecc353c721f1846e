"""What a training learns from: teachers prepared, and patches drawn from them."""
