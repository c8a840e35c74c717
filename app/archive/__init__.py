"""Recordings searched in parallel, and who was seen in them found again."""
