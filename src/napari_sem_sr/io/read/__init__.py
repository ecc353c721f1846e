"""Files of every format, opened lazily."""
