"""The desk's refusals. The API answers them with their code, the admin shows their words."""

from annotation.errors import BadInput, Refusal


class NothingToFreeze(Refusal):
    code = "nothing_to_freeze"


class FilterDoesNotFit(BadInput):
    code = "filter_does_not_fit"


class SnapshotsDoNotCompare(BadInput):
    """They hold different kinds of rows, or one is from before rows were frozen in order."""

    code = "snapshots_do_not_compare"


class SnapshotFileMissing(Refusal):
    code = "snapshot_file_missing"


class SnapshotInUse(Refusal):
    code = "snapshot_in_use"


class FormatDoesNotFit(BadInput):
    code = "format_does_not_fit"


class BadDestination(BadInput):
    """An address that nothing can be written to, or one with a password in it."""

    code = "bad_destination"


class ExportAlreadyFinished(Refusal):
    code = "export_already_finished"


class WrongSnapshotKind(BadInput):
    code = "wrong_snapshot_kind"


class WrongCheckpointKind(BadInput):
    code = "wrong_checkpoint_kind"


class RewardMissing(BadInput):
    code = "reward_missing"


class RewardNotUsed(BadInput):
    code = "reward_not_used"


class InvalidConfig(BadInput):
    """A setting that the stage does not know, or a value that it does not take."""

    code = "invalid_config"


class UnknownBaseModel(BadInput):
    code = "unknown_base_model"


class CannotBeExported(Refusal):
    """The checkpoint is not here, or not of a kind that can be written so."""

    code = "cannot_be_exported"


class BaseRunLost(Refusal):
    """The run to build on failed or was cancelled."""

    code = "base_run_lost"


class RunAlreadyFinished(Refusal):
    code = "run_already_finished"


class CannotResume(Refusal):
    """The run is not over, has succeeded, or would only end the same way."""

    code = "cannot_resume"


class TooManyRuns(Refusal):
    """One person's share of the queue is used up."""

    code = "too_many_runs"


class GateNotPassed(Refusal):
    """A rule of the campaign's promotion gate does not hold."""

    code = "gate_not_passed"


class TooFewCheckpoints(BadInput):
    """An arena compares at least two that can answer."""

    code = "too_few_checkpoints"


class ArenaOver(Refusal):
    code = "arena_over"


class InvalidPipeline(BadInput):
    """The file is no pipeline, or a stage was named that is not in it."""

    code = "invalid_pipeline"


class PipelineBusy(Refusal):
    """Its last start is not over yet."""

    code = "pipeline_busy"


class StageMissing(Refusal):
    """A stage that was left out has no result yet to build on."""

    code = "stage_missing"
