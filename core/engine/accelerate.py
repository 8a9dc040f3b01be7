"""A network that is compiled while it is already in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from core.engine.memory import give_back, is_out_of_memory

Network = Callable[[Tensor, Tensor], Tensor]


class CompiledTwin:
    """The network as it is, until a compiled one is ready; then that, for batches of the shape it was made for.

    It is called as the network is. compiler: makes a faster one of a network; torch.compile if left out. context: what
    the network runs in, for the thread that warms the compiled one up (torch's modes are each thread's own). note: what
    to tell the user, or "": compiling never ends a run.
    """

    def __init__(
        self,
        network: Network,
        compiler: Callable[[Network], Network] | None = None,
        context: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.network = network
        self.note = ""
        self._compiler = compiler or torch.compile
        self._context = context
        self._largest: tuple[Tensor, Tensor] | None = None
        self._device = torch.device("cpu")
        self._compiled: Network | None = None
        self._thread: threading.Thread | None = None

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        compiled, largest = self._compiled, self._largest
        if compiled is not None and largest is not None and x.shape == largest[0].shape:
            try:
                return compiled(x, t)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                self._give_up(error)
        out = self.network(x, t)
        if self._thread is None and (largest is None or x.numel() > largest[0].numel()):
            # Of the meta device, which has shapes but no memory.
            self._largest = torch.empty_like(x, device="meta"), torch.empty_like(t, device="meta")
            self._device = x.device
        return out

    @property
    def ready(self) -> bool:
        """The compiled network is in use."""
        return self._compiled is not None

    def prepare(self) -> None:
        """Begin to compile, on a thread, for the largest batch that was seen so far; once, and after that nothing."""
        if self._thread is None and self._largest is not None:
            self._thread = threading.Thread(target=self._warm_up, name="compile", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until compiling has ended."""
        if self._thread is not None:
            self._thread.join()

    def _warm_up(self) -> None:
        assert self._largest is not None
        try:
            x, t = (torch.zeros_like(each, device=self._device) for each in self._largest)
            with torch.no_grad(), self._context():
                compiled = self._compiler(self.network)
                compiled(x, t)
        except Exception as error:
            self._give_up(error)
            give_back(self._device)
        else:
            self._compiled = compiled

    def _give_up(self, error: Exception) -> None:
        self._compiled = None
        told = str(error).strip().splitlines()
        why = told[0][:200] if told else type(error).__name__
        self.note = f"The network could not be compiled for this device and runs uncompiled: {why}"
