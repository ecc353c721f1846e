"""The study's experiments, and the demonstration, as repeatable commands."""
