"""The tabs Answer check and Blind test."""
