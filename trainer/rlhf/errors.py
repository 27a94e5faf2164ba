from trainer.handoff.failures import Failure


class LabError(Exception):
    """A run cannot go on. The words are for the researcher who started it: what happened, what to change."""

    failure = Failure.SETTINGS


class BadData(LabError):
    """There is nothing in the snapshot that this run could learn from, or something that it cannot read."""

    failure = Failure.BAD_DATA


class NotANumber(LabError):
    """What is computed is no number any more, or not the number that it should be."""

    failure = Failure.NOT_A_NUMBER


class TooLarge(LabError):
    """It cannot fit into memory."""

    failure = Failure.OUT_OF_MEMORY


class Stopped(Exception):
    """The run was asked to stop (SIGTERM)."""
