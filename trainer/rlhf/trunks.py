"""The trunk's activations, computed once for each batch and kept while there is room."""

from torch import Tensor

from trainer.rlhf.batches import Batch
from trainer.rlhf.modeling import Backbone

MOST_BYTES = 2_000_000_000


class TrunkCache:
    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._kept: dict[int, tuple[Batch, Tensor]] = {}
        self._bytes = 0

    def __getitem__(self, batch: Batch) -> Tensor | None:
        """Activations (R, S, H) of the trunk; None where the backbone shares none."""
        if id(batch) in self._kept:
            return self._kept[id(batch)][1]
        activations = self.backbone.trunk(batch)
        if activations is None:
            return None
        size = activations.numel() * activations.element_size()
        if self._bytes + size <= MOST_BYTES:
            # The batch is kept too: its identity is the key.
            self._kept[id(batch)] = (batch, activations)
            self._bytes += size
        return activations
