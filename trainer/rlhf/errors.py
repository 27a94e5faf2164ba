class LabError(Exception):
    """A run cannot go on. The words are for the researcher who started it: what happened, what to change."""


class Stopped(Exception):
    """The run was asked to stop (SIGTERM)."""
