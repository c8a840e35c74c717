"""Measuring: latency, accuracy, chaos."""
