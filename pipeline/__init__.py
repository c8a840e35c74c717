"""Moving data between processes."""
