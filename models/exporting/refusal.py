"""What is said of a network that has no graph."""


class NotExportableError(ValueError):
    """A network that cannot be written as a graph, and why."""
