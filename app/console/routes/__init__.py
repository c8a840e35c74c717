"""What the console answers, by subject."""
