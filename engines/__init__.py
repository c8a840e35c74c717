"""Tensors in, tensors out, and what gives them a meaning."""
