"""Bytes of training: parameters, gradients, optimizer state, and what the forward pass keeps for the backward pass."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import sympy

from symcost.costs.cost import Count
from symcost.costs.dtypes import ASSUMED, bits_of
from symcost.costs.exact import rational
from symcost.costs.size import model_size, state_size, trained_size
from symcost.costs.table import CostTable
from symcost.devices import Device, device
from symcost.errors import DeviceError, SymcostError
from symcost.estimate.bytes.shards import Shards, of_one
from symcost.estimate.bytes.types import types_of
from symcost.reading.given import checked


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes, exact in the table's symbols; made of bytes by hand where there is no table.

    >>> whole = TrainingMemory(params=2 * 70, gradients=0, optimizer=8 * 70, residuals=0)
    >>> whole.sharded(Shards.zero(1, data=64)).total
    149
    """

    params: Count
    gradients: Count
    optimizer: Count
    residuals: Count
    state: Count = 0
    types: str = ""

    @property
    def total(self) -> Count:
        """All of it."""
        total = sympy.expand(self.params + self.gradients + self.optimizer + self.residuals + self.state)
        return int(total) if total.is_Integer else total

    def sharded(self, shards: Shards) -> TrainingMemory:
        """What the fullest device keeps of each part: ``ceiling(bytes / devices)``, each part split as one buffer."""
        split = {part.name: of_one(getattr(self, part.name), getattr(shards, part.name)) for part in fields(shards)}
        return replace(self, **split)

    def left(self, on: str | Device) -> Any:
        """Bytes that a device's memory has besides all of it: ``size - total``, negative where it does not fit.

        Raises:
            DeviceError: where the device is unknown, or no size of its memory is published.

        >>> TrainingMemory(params=14 * 10**9, gradients=0, optimizer=56 * 10**9, residuals=0).left("h100")
        10000000000
        """
        left = sympy.expand(room(on) - self.total)
        return int(left) if left.is_Integer else left

    def least_devices(self, on: str | Device) -> Any:
        """The fewest devices whose memories together have room for all of it: ``ceiling(total / size)``.

        Raises:
            DeviceError: where the device is unknown, or no size of its memory is published.

        >>> TrainingMemory(params=140 * 10**9, gradients=0, optimizer=560 * 10**9, residuals=0).least_devices("h100")
        9
        """
        return of_one(self.total, room(on))


def room(on: str | Device) -> sympy.Expr:
    """Bytes of the memory in which a device keeps what it computes with."""
    where = device(on)
    level = where.memory_of("activations")
    if level.size is None:
        raise DeviceError(f"device {where.name}: no size of its {level.name} is published: describe your own")
    return rational(level.size)


@checked
def training_memory(
    costs: CostTable, optimizer: Any = None, *, dtype: str | None = None, gradients: str | None = None,
    moments: str | None = None, least: int = 1, shards: Shards | None = None,
) -> TrainingMemory:  # fmt: skip
    """Bytes of parameters, gradients, optimizer state, residuals and the model's state, traced with ``mode="train"``.

    Frozen parameters (``wrt`` of :func:`symcost.trace`) have neither gradients nor optimizer state.

    ``optimizer``: an optax transformation, whose state is asked of ``optimizer.init`` without making it; none is plain
    gradient descent; one whose state changes its form with the sizes, as Adafactor's at 128, needs numbers, or
    ``least``, the least value of every symbol. Parameters, their gradients and the model's own state (moving averages)
    have the number types of the trace; ``dtype`` gives one to all of them, ``gradients`` one to the gradients. The
    optimizer's state is made for parameters in ``moments``: ``dtype`` unless given, else float32, in which mixed
    precision keeps its master copy (Micikevicius et al., arXiv:1710.03740, section 3.1); ``"traced"`` asks the optimizer
    for that of the parameters as they are. Residuals follow the model's own types and its remat policy: a rematerialised
    block keeps less. ``shards``: over how many devices each part is split, :meth:`Shards.zero` for ZeRO and FSDP; the
    bytes are then those of the fullest device. Of a table that was traced with a plan the bytes are those of one device, as its
    arrays are cut and as XLA's partitioner lays the residuals, and ``shards`` split them further.

    Raises:
        SymcostError: where the table is not of training.
        DeviceError: where a number type is unknown.

    >>> import flax.linen as nn, optax
    >>> import symcost as sc
    >>> costs = sc.trace(lambda d: nn.Dense(d), "float32[n,c]", mode="train")
    >>> found = training_memory(costs, optax.adam(1e-3))
    >>> found.params, found.optimizer
    (4*c*d + 4*d, 8*c*d + 8*d + 4)
    """
    if costs.parts.residuals is None:
        raise SymcostError('what the backward pass needs is known of traced models: trace with mode="train"')
    own, state = costs if costs.plan is None else costs.per_device, sympy.S.Zero
    if optimizer is not None:
        from symcost.estimate.bytes.optimizer import optimizer_state

        state = optimizer_state(costs, optimizer, moments or dtype or ASSUMED, least=least)
    types = types_of(own, dtype)
    params = model_size(own, types.weights)
    found = TrainingMemory(
        params=params, gradients=trained_size(own, types.weights if gradients is None else bits_of(gradients)),
        optimizer=state, residuals=_kept(own, costs), state=state_size(own, types.weights), types=types.text,
    )  # fmt: skip
    return found if shards is None else found.sharded(shards)


def _kept(own: CostTable, costs: CostTable) -> Count:
    """Bytes for the backward pass, of one device where the table has a plan."""
    if own.parts.residuals is None:
        raise SymcostError(
            "what one device keeps for the backward pass has no closed form: give numbers for some sizes, or cut other dimensions"
        )
    return own.residuals
