"""Where networks compute, and how exactly: the processor, or a card that was asked for.

==============  ====================================================================================
``cpu``         the processor; what is done unless something else is asked for
``cuda``        the first NVIDIA card, ``cuda:1`` the second
``mps``         the graphics of an Apple processor
``auto``        ``cuda`` where there is one, else ``mps``, else ``cpu``
==============  ====================================================================================

A card adds up sums in another order than a processor, so its numbers agree with a processor's to
some digits only (`TOLERANCES`). Whatever is stored under a name that says what decided it therefore
has the kind of device and the precision in its name (`Device.facts`), so that numbers of two kinds
are never mixed in one run; names and numbers of the processor are what they were before there was a
choice. Cards of one kind count as one, as processors do; their models are recorded.

The precision of a card is ``float32`` as on a processor, or what is quicker and less exact where it
is asked for: ``tf32`` rounds what matrix products are made of to 10 bits, ``bf16`` makes them of
numbers of 8 bits (automatic mixed precision; losses are float32 all the same).

Nothing here imports torch before something other than the processor is asked for, or computes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from toolkit.errors import ToolkitError, nearest_name
from toolkit.processes.threads import side_by_side

if TYPE_CHECKING:
    from torch import Tensor, nn

    Module = TypeVar("Module", bound=nn.Module)

AUTO = "auto"
KINDS = ("cpu", "cuda", "mps")
"""Kinds of devices, as torch names them."""
PRECISIONS: Mapping[str, tuple[str, ...]] = {
    "cpu": ("float32",),
    "cuda": ("float32", "tf32", "bf16"),
    "mps": ("float32",),
}
"""How exactly each kind can compute; the first is what is done unless another is asked for."""
TOLERANCES: Mapping[str, float] = {"float32": 1e-4, "tf32": 1e-2, "bf16": 5e-2}
"""How far features and embeddings of a card may be from those of the processor, as a share of the
largest; tests hold cards to it."""
MOST_TIMES = 16
"""How many times as much as on a processor goes through a network together, at most."""
_BESIDE = 256
"""Memory that a network is taken to need for one thing, as a multiple of what is put in. It is only
a first guess: what turns out not to fit is halved."""
_NAME = re.compile(r"auto|cpu|mps|cuda(:\d{1,4})?")

Item = TypeVar("Item")


class NoRoomError(ToolkitError):
    """The memory of a card does not suffice, whatever is put into it."""


class Alike(NamedTuple, Generic[Item]):
    """Things that may go through a network together, as they have one shape."""

    items: Sequence[Item]
    """All of them, in order; slices of it are what is computed with."""
    usual: int
    """How many go through together on a processor."""
    item_bytes: int
    """Size of one as it is put into the network."""


@dataclass(frozen=True)
class Device:
    """Where networks compute, and how exactly.

    Example:
        >>> CPU.kind, CPU.precision, CPU.at_once(32, 4 * 16_000)
        ('cpu', 'float32', 32)
    """

    name: str = "cpu"
    """As torch names it: `cpu`, `cuda:0`, `mps`."""
    precision: str = "float32"
    """One of `PRECISIONS`."""
    model: str | None = None
    """What kind of card it is, such as `NVIDIA H200`; None for a processor."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return self.name.partition(":")[0]

    @property
    def place(self) -> str:
        """Where torch puts what is moved here."""
        return self.name

    @property
    def facts(self) -> dict[str, Any]:
        """What names of stored results must say of it; nothing for the processor.

        Example:
            >>> CPU.facts, Device("cuda:1", "tf32").facts
            ({}, {'device': ['cuda', 'tf32']})
        """
        return {} if self.kind == "cpu" else {"device": [self.kind, self.precision]}

    @property
    def told(self) -> str:
        """Kind and model, for people.

        Example:
            >>> Device("cuda:1", model="NVIDIA H200").told
            'cuda (NVIDIA H200)'
        """
        return f"{self.kind} ({self.model})" if self.model else self.kind

    def to(self, tensor: Tensor) -> Tensor:
        """A tensor here; from a processor to a card it goes through memory that cannot move."""
        if self.kind == "cpu":
            return tensor
        if tensor.device.type == "cpu" and self.kind == "cuda":
            return tensor.pin_memory().to(self.place, non_blocking=True)
        return tensor.to(self.place)

    def put(self, module: Module) -> Module:
        """A network with its parameters here."""
        with self.holding(f"the weights of a {type(module).__name__}"):
            return module if self.kind == "cpu" else module.to(self.place)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Compute in the device's precision while the block lasts.

        Whether a card rounds to TF32 is a setting of the whole process, which stays as it was set
        last.
        """
        import torch

        place = torch.device(self.place).type
        if place == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = self.precision == "tf32"
            torch.backends.cudnn.allow_tf32 = self.precision == "tf32"
        mixed: AbstractContextManager[Any] = nullcontext()
        if self.precision == "bf16":
            mixed = torch.autocast(place, torch.bfloat16)
        with mixed:
            yield

    def portions(
        self,
        compute: Callable[[Sequence[Item]], Tensor],
        *groups: Alike[Item],
        beside: int | None = None,
    ) -> Iterator[tuple[Sequence[Item], Tensor]]:
        """What a network makes of things, portion after portion, without gradients.

        On a processor, portions are made beside each other, each in one thread. On a card they are
        made one after the other; one for which its memory does not suffice is tried again in
        halves, and so are those behind it.

        Args:
            compute: what the network makes of some things, one entry each along the first axis.
            groups: the things; those of two groups never go through the network together.
            beside: portions beside each other on a processor; by default as `side_by_side` has it.

        Yields:
            Some of the things, and what was made of them, float32, where the device is.

        Raises:
            NoRoomError: a single one does not fit.

        Example:
            >>> import torch
            >>> [made.tolist() for _, made in CPU.portions(torch.tensor, Alike([1, 2, 3], 2, 8))]
            [[1.0, 2.0], [3.0]]
        """
        if self.kind == "cpu":
            some_of_all = [
                items[start : start + usual]
                for items, usual, _ in groups
                for start in range(0, len(items), usual)
            ]
            made_of_all = side_by_side(partial(self._made, compute), some_of_all, beside)
            yield from zip(some_of_all, made_of_all, strict=True)
            return
        for items, usual, item_bytes in groups:
            size, start = self.at_once(usual, item_bytes), 0
            while start < len(items):
                some = items[start : start + size]
                made = self._tried(compute, some)
                if made is None:
                    self.free()
                    size = len(some) // 2
                else:
                    yield some, made
                    start += len(some)

    def _made(self, compute: Callable[[Sequence[Item]], Tensor], some: Sequence[Item]) -> Tensor:
        """What is made of a portion."""
        import torch

        with torch.inference_mode(), self.computing():
            return compute(some).float()

    def _tried(
        self, compute: Callable[[Sequence[Item]], Tensor], some: Sequence[Item]
    ) -> Tensor | None:
        """What is made of a portion; None where it must be made smaller."""
        try:
            return self._made(compute, some)
        except RuntimeError as error:
            if not ran_out(error):
                raise
            if len(some) == 1:
                raise self.full("a single clip, picture or text") from error
            return None

    def at_once(self, usual: int, item_bytes: int) -> int:
        """How many things go through a network together, by the memory that is free.

        Args:
            usual: how many on a processor, where the number stays what it is.
            item_bytes: size of one as it is put into the network.
        """
        if self.kind == "cpu":
            return usual
        room = self.free_bytes() // (_BESIDE * max(1, item_bytes))
        size = usual
        # Few different sizes: the last digits of what a network makes depend on them.
        while size * 2 <= min(room, usual * MOST_TIMES):
            size *= 2
        while size > max(1, room):
            size //= 2
        return size

    def has_room(self, n_bytes: int) -> bool:
        """Whether so much can lie here and leave as much again to compute in."""
        return self.kind == "cpu" or 2 * n_bytes <= self.free_bytes()

    @contextmanager
    def holding(self, what: str) -> Iterator[None]:
        """Tell in one sentence that what is done in the block does not fit.

        Args:
            what: what is done, as the subject of that sentence.

        Raises:
            NoRoomError: the card's memory does not suffice.
        """
        try:
            yield
        except RuntimeError as error:
            if not ran_out(error):
                raise
            raise self.full(what) from error

    def full(self, what: str) -> NoRoomError:
        """The error for what does not fit.

        Args:
            what: the subject of the sentence.
        """
        return NoRoomError(
            f"The memory of {self.name} does not suffice for {what}.",
            given=f"{self.told}, {self.free_bytes() / 2**30:.1f} GiB free",
            allowed="a card with more memory, or one that nothing else is using; cpu",
            next_command="the same again with --device cpu (or device='cpu')",
        )

    def free_bytes(self) -> int:
        """Memory that is free on a card."""
        import torch

        if self.kind == "cuda":
            # What torch has set aside and does not use is free as well.
            spare = torch.cuda.memory_reserved(self.name) - torch.cuda.memory_allocated(self.name)
            return int(torch.cuda.mem_get_info(self.name)[0] + spare)
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())

    def free(self) -> None:
        """Give back what torch has set aside and does not use."""
        import torch

        if self.kind == "cuda":
            torch.cuda.empty_cache()
        else:
            torch.mps.empty_cache()

    @contextmanager
    def own_randomness(self, seed: int) -> Iterator[None]:
        """Start all random numbers from a seed, and leave them as they were before the block."""
        import torch

        with torch.random.fork_rng(devices=[]):
            before = self.random_state()
            torch.manual_seed(seed)
            try:
                yield
            finally:
                if before is not None:
                    self.set_random_state(before)

    def random_state(self) -> Tensor | None:
        """State of a card's own random numbers; None for a processor, whose are torch's."""
        import torch

        if self.kind == "cuda":
            return torch.cuda.get_rng_state(self.name)
        return torch.mps.get_rng_state() if self.kind == "mps" else None

    def set_random_state(self, state: Tensor) -> None:
        """Go on with a card's random numbers from a state."""
        import torch

        if self.kind == "cuda":
            torch.cuda.set_rng_state(state, self.name)
        else:
            torch.mps.set_rng_state(state)


CPU = Device()
"""The processor."""


def find_device(asked: str = "cpu", precision: str = "float32") -> Device:
    """The device of a name, after looking whether it is there.

    Args:
        asked: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`, see the module's text.
        precision: `float32`, `tf32` or `bf16`.

    Raises:
        ToolkitError: no such name, a device that is not here, or one that cannot compute like that.

    Example:
        >>> find_device() is CPU
        True
        >>> find_device("coda")
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: There is no device 'coda'.
          given: coda
          did you mean: cuda
          allowed: auto, cpu, cuda, cuda:N, mps
    """
    name = str(asked)
    if not _NAME.fullmatch(name):
        raise ToolkitError(
            f"There is no device {name!r}.",
            given=name,
            allowed="auto, cpu, cuda, cuda:N, mps",
            nearest=AUTO if name.casefold() == "gpu" else nearest_name(name, (AUTO, *KINDS)),
        )
    if name == "cpu":
        found = CPU
    else:
        here = devices_here()
        if name == AUTO:
            name = next(iter(here))
        exact = "cuda:0" if name == "cuda" else re.sub("^cuda:0+(?=[0-9])", "cuda:", name)
        if exact not in here:
            raise _absent(name, list(here))
        found = here[exact]
    return replace(found, precision=_checked(found, precision)) if precision != "float32" else found


def devices_here() -> dict[str, Device]:
    """The devices of this machine by name, those first that `auto` prefers."""
    import torch

    found = {}
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            name = f"cuda:{number}"
            found[name] = Device(name, model=torch.cuda.get_device_name(number))
    if torch.backends.mps.is_available():
        found["mps"] = Device("mps", model="Apple")
    return {**found, "cpu": CPU}


def _absent(name: str, here: Sequence[str]) -> ToolkitError:
    """The error for a device that is not on this machine."""
    import torch

    kind = name.partition(":")[0]
    why = "; this torch is built without CUDA" * (kind == "cuda" and not torch.version.cuda)
    same = [one for one in here if one.partition(":")[0] == kind]
    return ToolkitError(
        f"There is no {name} on this machine{why}.",
        given=name,
        allowed=", ".join([AUTO, *here]),
        nearest=same[-1] if same else None,
        next_command="the same again with --device auto (or device='auto'), which takes what is "
        "there",
    )


def _checked(device: Device, precision: str) -> str:
    """A precision, if the device has it."""
    known = PRECISIONS[device.kind]
    if precision not in known:
        everywhere = PRECISIONS["cuda"]
        raise ToolkitError(
            f"{device.name} does not compute in {precision!r}."
            if precision in everywhere
            else f"There is no precision {precision!r}.",
            given=precision,
            allowed=", ".join(known),
            nearest=nearest_name(precision, known),
        )
    return precision


def ran_out(error: RuntimeError) -> bool:
    """Whether a card's memory did not suffice.

    Args:
        error: what torch raised.
    """
    import torch

    # Apple's graphics have no error of their own for it.
    of_apple = str(error).startswith("MPS backend out of memory")
    return isinstance(error, torch.cuda.OutOfMemoryError) or of_apple
