"""Where a network is taught: on a processor, one GPU, or as one of several processes that `torchrun` has started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from training.kept_memory import keep_memory


@dataclass(frozen=True, slots=True)
class Place:
    """rank, world  this process and how many there are; only the first one writes"""

    device: torch.device
    rank: int
    world: int

    @property
    def writes(self) -> bool:
        return self.rank == 0

    def shared(self, net: nn.Module) -> nn.Module:
        """The network with its gradients averaged over all processes."""
        if self.world == 1:
            return net
        ids = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(net, device_ids=ids, find_unused_parameters=True)

    def meet(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            distributed.barrier()

    def mean(self, numbers: Tensor) -> Tensor:
        """Over all processes."""
        if self.world > 1:
            distributed.all_reduce(numbers)
            numbers = numbers / self.world
        return numbers


@contextmanager
def place() -> Iterator[Place]:
    keep_memory()
    if not distributed.is_torchelastic_launched():
        yield Place(torch.device("cuda" if torch.cuda.is_available() else "cpu"), 0, 1)
        return
    on_gpus = torch.cuda.is_available()
    distributed.init_process_group("nccl" if on_gpus else "gloo")
    try:
        rank = distributed.get_rank()
        device = torch.device("cuda", rank % torch.cuda.device_count()) if on_gpus else torch.device("cpu")
        yield Place(device, rank, distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
