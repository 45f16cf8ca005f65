"""The verb ``plans``: which mesh, batch, number of microbatches and share of the optimizer are best, exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symcost.devices import Device
from symcost.devices import device as device_of
from symcost.errors import SpaceError
from symcost.estimate.bytes.states import states_of
from symcost.reading.given import checked_but
from symcost.reading.numerals import short
from symcost.sweeps.plans.found import FoundPlan, Plans, found_plan, undominated
from symcost.sweeps.plans.room import Room, room_of
from symcost.sweeps.plans.variants import Variant, variants
from symcost.sweeps.question.space import Texts, check_count, texts
from symcost.sweeps.verbs import FEW, pareto, sweep

MEMORY = "device_bytes"
NUMBERS = ("step_time", MEMORY, "communication")
"""What is told of every plan."""


@checked_but("costs", "chips", "batch", "microbatches", "zero")
def plans(
    costs: Any,
    *specs: Any,
    chips: Any,
    device: str | Device,
    batch: Any = None,
    microbatches: Any = (1,),
    zero: Any = (0,),
    optimizer: str = "adam",
    given: Mapping[str, Any] | None = None,
    where: Texts = (),
    fits: bool = True,
    minimize: str = "step_time",
    top: int = 5,
    front: bool = False,
    dtype: str | None = None,
    plan: Any = None,
    vary: Mapping[str, Sequence[Any]] | None = None,
    tracing: Mapping[str, Any] | None = None,
    verify: int = 0,
    targets: str | Sequence[str] = ("cpu",),
    on_event: Callable[[str, str], None] = lambda target, event: None,
) -> Plans:
    """The best plans of a model on so many chips, of all that there are: every number exact, every comparison too.

    ``costs``: a table that was traced with a plan and ``mode="train"``, or several by name, as of other plans, number types
    or remat policies; or a model with its ``specs``, which is traced with each ``plan`` (one, or several by name) and each
    combination of ``vary``, values of its own parameters, as ``{"remat": [False, True]}``; ``tracing``: options of
    :func:`symcost.trace`. A plan is then a choice of

    - one of these tables, and a stage of ``zero`` beside it (0, 1, 2: see ``device_bytes``; the third one is a plan of its own)
    - a size for each axis of the mesh: their product is ``chips``, a number or several
    - ``batch``: the examples of a step, a number, a list, a range, or ``{"from": 256, "to": 4096, "step": 256}``; where no
      input's first size is a symbol that counts them, by its name, as ``{"B": 1024}``
    - ``microbatches``, in which a step runs the program on equal shares of its examples, one after the other, each with all of
      its collectives; ``given``: values of the model's other symbols, one or several each

    ``step_time`` and ``communication`` are of all runs of a step, ``device_bytes`` of the fullest device with the state of the
    ``optimizer``. ``where``: conditions as of :func:`symcost.sweep`, in every quantity and axis; with ``fits`` the bytes must
    have room on the device. ``minimize``: an expression, as ``"step_time/step_batch"``; ``top`` plans are kept. ``front``:
    whether all plans are found whose time nothing beats without more memory. ``verify``: how many of the best are compiled
    ahead of time for ``targets``, whose collectives are compared byte by byte (:func:`symcost.verify`). What holds where is in
    the conditions of the tables: outside of them there is no plan.

    Raises:
        SpaceError: where a table has no plan, a symbol no values, or an argument is another.
        DeviceError: where the device is unknown or lacks a network, a peak or the size of its memory.

    >>> import flax.linen as nn
    >>> import symcost as sc
    >>> mlp = lambda d: nn.Sequential([nn.Dense(4 * d, use_bias=False), nn.gelu, nn.Dense(d, use_bias=False)])
    >>> cut = {"inputs/0": ("data",), "**/layers_0/kernel": (None, "model"), "**/layers_2/kernel": ("model",)}
    >>> costs = sc.trace(mlp, "float32[B,d]", plan=sc.Plan({"data": "X", "model": "Y"}, cut), mode="train")
    >>> found = sc.plans(costs, chips=64, device="tpu-v5p", batch=65536, given={"d": 4096}, zero=(0, 1))
    >>> [(each.row["zero"], each.row["X"], each.row["Y"]) for each in found][:2], found.count
    ([(0, 32, 2), (1, 32, 2)], 10)
    """
    started = time.perf_counter()
    on = device_of(device)
    states_of(optimizer)
    check_count("top", top, FEW, f"is too many: give at most {FEW}", ": the number of plans to keep")
    if isinstance(verify, bool) or not isinstance(verify, int) or verify < 0:
        raise SpaceError(f"verify={short(verify)} must be 0 or a positive integer: the number of plans to compile")
    every = variants(costs, specs, plan, vary, zero, tracing or {})
    search = _Searched(on, optimizer, dtype, [*texts("where", where), *(["fits"] if fits else [])], minimize)
    rooms = [room_of(each.costs, chips, batch, microbatches, given or {}) for each in every]
    number, found, fastest = 0, list[FoundPlan](), list[FoundPlan]()
    for variant, room in zip(every, rooms, strict=True):
        told = search.told(variant, every)
        answer = sweep(variant.costs, room.space, minimize=minimize, top=top, show=search.shown, **search.asked(variant, room))
        number += answer.count or 0
        found += [found_plan(variant, room.batch, row, told) for row in answer]
        if front:
            least = pareto(variant.costs, room.space, minimize=("step_time", MEMORY), show=search.shown, **search.asked(variant, room))
            fastest += [found_plan(variant, room.batch, row, told) for row in least]
    found.sort(key=lambda each: each.row[minimize])
    found = found[:top]
    seconds = time.perf_counter() - started
    return Plans(
        tuple(found), number, sum(room.space.size for room in rooms), seconds, minimize, on.name,
        {"optimizer": optimizer, "dtype": dtype}, rooms[0].batch, fits, undominated(fastest, ("step_time", MEMORY)),
        tuple(_verdict(each, targets, on_event) for each in found[:verify]),
    )  # fmt: skip


class _Searched:
    """How the plans of every table are searched."""

    def __init__(self, on: Device, optimizer: str, dtype: str | None, where: list[str], minimize: str) -> None:
        self.on, self.optimizer, self.dtype, self.where = on, optimizer, dtype, where
        self.shown = [*dict.fromkeys((*NUMBERS, minimize))]

    def asked(self, variant: Variant, room: Room) -> dict[str, Any]:
        """The options of the search of one table."""
        options: dict[str, Any] = {
            "where": self.where, "define": room.define, "device": self.on, "optimizer": self.optimizer, "zero": variant.zero,
        }  # fmt: skip
        if room.batch:
            options["microbatches"] = "microbatches"
        return options if self.dtype is None else {**options, "dtype": self.dtype}

    def told(self, variant: Variant, every: Sequence[Variant]) -> dict[str, Any]:
        """The columns that tell a table and its stage from the others."""
        named = {"plan": variant.name} if any(each.name for each in every) else {}
        return {**named, **({"zero": variant.zero} if any(each.zero != every[0].zero for each in every) else {})}


def _verdict(found: FoundPlan, targets: str | Sequence[str], on_event: Callable[[str, str], None]) -> Any:
    from symcost.referee.verdicts.verify import verify

    return verify(found.variant.costs, at=dict(found.at), targets=targets, on_event=on_event)
