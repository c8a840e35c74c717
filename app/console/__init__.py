"""The web console: what people see of a run from a browser, and the same for programs."""
