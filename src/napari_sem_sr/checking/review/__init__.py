"""What a person says of suspect places, and the blind test."""
