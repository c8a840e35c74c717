"""Cameras on many machines: placed and started again by Ray, their events in one store."""
