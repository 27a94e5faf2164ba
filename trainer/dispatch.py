"""The doorbell. The row is the queue: a ring that is lost, or comes twice, changes nothing."""

from annotation import doorbell


def ring() -> None:
    """Tell the workers, once this transaction commits, that a run may be waiting, or a question about one."""
    doorbell.ring("trainer.tasks.execute_next_run")


def ring_for_export() -> None:
    """Tell the workers, once this transaction commits, that an export may be waiting."""
    doorbell.ring("trainer.tasks.execute_next_export")
