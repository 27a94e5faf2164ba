"""The desk's rows: what was frozen, exported, run and made."""

from trainer.models.arenas import Arena, ArenaEntry, ArenaPair
from trainer.models.checkpoints import Checkpoint
from trainer.models.exports import Export
from trainer.models.history import Artifact, RunAttempt, RunEvent, RunMetric
from trainer.models.members import RunMember
from trainer.models.nodes import Node
from trainer.models.pipelines import Pipeline, PipelineRun
from trainer.models.rehearsals import Rehearsal
from trainer.models.runs import Run
from trainer.models.samples import SampledCompletion
from trainer.models.serving import Evaluation, GateRule, ModelServer, Promotion, ServedMessage
from trainer.models.snapshots import Snapshot
from trainer.models.synthetic import SyntheticRow

__all__ = [
    "Arena",
    "ArenaEntry",
    "ArenaPair",
    "Artifact",
    "Checkpoint",
    "Evaluation",
    "Export",
    "GateRule",
    "ModelServer",
    "Node",
    "Pipeline",
    "PipelineRun",
    "Promotion",
    "Rehearsal",
    "Run",
    "RunAttempt",
    "RunEvent",
    "RunMember",
    "RunMetric",
    "SampledCompletion",
    "ServedMessage",
    "Snapshot",
    "SyntheticRow",
]
