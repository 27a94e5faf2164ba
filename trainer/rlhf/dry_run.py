"""``--dry-run`` prints what a run will read, do and need; and what cannot fit is refused."""

import json
import os
import sys
import traceback

import torch

from trainer.handoff.configs import ConfigError, LabConfig, build_config
from trainer.handoff.configs.synthetic import AskingConfig
from trainer.handoff.endpoints import is_endpoint
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import pick_device
from trainer.rlhf.outline import Planned, outline
from trainer.rlhf.synthetic.outlook import outlook
from trainer.rlhf.world import World


def rehearse(directory: RunDirectory, processes: int | None, *, nodes: int = 1, as_json: bool = False) -> int:
    """Print the plan of a run, for one of its ``nodes``, and touch nothing. Returns 1 where it could not be
    carried out."""
    count = torch.cuda.device_count() if processes is None else processes
    try:
        spec = directory.spec()
        config = build_config(spec.kind, spec.config)
        if isinstance(config, AskingConfig):
            asked = outlook(config, directory)
            print(json.dumps(asked.as_dict()) if as_json else asked.text(), flush=True)
            return 0
        if is_endpoint(spec.base_model):
            print(f"{spec.kind} from {spec.base_model}: its weights are loaded elsewhere", flush=True)
            return 0
        assert isinstance(config, Planned)
        planned = outline(config, directory, device=pick_device(), processes=max(count, 1), nodes=nodes)
        print(planned.json() if as_json else planned.text(), flush=True)
        planned.plan.check(planned.changes)
    except (LabError, ConfigError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def refuse_what_cannot_fit(config: LabConfig, directory: RunDirectory, world: World) -> None:
    """Before any weights are loaded.

    :raises LabError: the run needs more memory than there is.
    """
    if is_endpoint(directory.spec().base_model) or not isinstance(config, Planned):
        return
    try:
        here = int(os.environ.get("LOCAL_WORLD_SIZE", world.size))
        nodes = world.size // here
        planned = outline(config, directory, device=world.device, processes=here, nodes=nodes)
    except (RuntimeError, NotImplementedError, TypeError, AttributeError):
        # A model that cannot be computed without weights may well be trained.
        traceback.print_exc()
        return
    planned.plan.check(planned.changes)
