"""Makes the files that the engines load."""
