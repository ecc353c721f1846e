"""What files say of a stack, read, completed and corrected."""
