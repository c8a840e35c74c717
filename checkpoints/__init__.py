"""Model files: what they are, where they are, that they are whole."""
