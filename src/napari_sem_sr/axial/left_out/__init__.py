"""The test on slices left out: the comparison, its files, and what it says in words."""
