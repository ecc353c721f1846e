"""Panes over one field: who plays which role, and what is shown beside the roles."""
