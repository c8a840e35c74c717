"""The run as a service of a machine: what its manager is told, and asks."""
