"""The verb ``plans``: which mesh, batch, number of microbatches and share of the optimizer are best, exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from symcost.devices import Device
from symcost.devices import device as device_of
from symcost.errors import SpaceError, SymcostError
from symcost.estimate.amounts import amount
from symcost.estimate.bytes.states import states_of
from symcost.estimate.pod.peaks import types_said
from symcost.reading.given import checked_but
from symcost.reading.numerals import short
from symcost.sweeps.plans.asked import MEMORY, PlanQuestion
from symcost.sweeps.plans.found import FoundPlan, NotJudged, Plans, StepBounds, found_plan, undominated
from symcost.sweeps.plans.missed import Missed
from symcost.sweeps.plans.room import room_of
from symcost.sweeps.plans.variants import Variant, variants
from symcost.sweeps.question.space import Texts, check_count, texts
from symcost.sweeps.verbs import FEW, pareto, sweep

FRONT = ("step_time", MEMORY)
UNTRAINED = (
    'what a device keeps is known of a program that was traced with mode="train": of a forward pass ask for the times alone, '
    "fits=False"
)


@checked_but("costs", "chips", "batch", "microbatches", "zero", "tokens")
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
    tokens: Any = None,
    plan: Any = None,
    vary: Mapping[str, Sequence[Any]] | None = None,
    tracing: Mapping[str, Any] | None = None,
    verify: int = 0,
    targets: str | Sequence[str] = ("cpu",),
    on_event: Callable[[str, str], None] = lambda target, event: None,
) -> Plans:
    """The best plans of a model on so many chips, of all that there are: every number exact, every comparison too.

    ``costs``: a table that was traced with a plan and ``mode="train"``, or several by name, as of other plans, number types
    or remat policies; of a forward pass what a device keeps is not known, and its times alone are told, with ``fits=False``.
    Or a model with its ``specs``, which is traced with each ``plan`` (one, or several by name) and each combination of ``vary``,
    values of its own parameters, as ``{"remat": [False, True]}``; ``tracing``: options of :func:`symcost.trace`.
    A plan is then a choice of

    - one of these tables, and a stage of ``zero`` beside it (0, 1, 2: see ``device_bytes``; the third one is a plan of its own)
    - a size for each axis of the mesh: their product is ``chips``, a number or several
    - ``batch``: the examples of a step, a number, a list, a range, or ``{"from": 256, "to": 4096, "step": 256}``; where no
      input's first size is a symbol that counts them, by its name, as ``{"B": 1024}``
    - ``microbatches``, in which a step runs the program on equal shares of its examples, one after the other, each with all of
      its collectives; ``given``: values of the model's other symbols, one or several each

    Of every plan ``bound`` tells what takes longest: ``compute``, ``memory``, or the kind and axes of the collectives that take
    most of the communication; ``missed`` of the answer, how many plans with as many chips are not feasible, and why.
    ``step_time`` and ``communication`` are of all runs of a step, ``device_bytes`` of the fullest device with the state of the
    ``optimizer``. ``where``: conditions as of :func:`symcost.sweep`, in every quantity and axis; with ``fits`` the bytes must
    have room on the device. ``minimize``: an expression, as ``"step_time/step_batch"``; ``top`` plans are kept. ``front``:
    whether all plans are found whose time nothing beats without more memory. ``dtype``: the number type of everything, as traced
    unless given (see :func:`symcost.step_time`). ``tokens`` of one run of the program, a number or a formula as ``"B*T"``: every
    plan then has ``tokens_per_second``. ``verify``: how many of the best are compiled
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
    ([(0, 8, 8), (1, 8, 8)], 14)
    """
    started = time.perf_counter()
    on = device_of(device)
    states_of(optimizer)
    count = None if tokens is None else amount(tokens, "tokens")
    check_count("top", top, FEW, f"is too many: give at most {FEW}", ": the number of plans to keep")
    if isinstance(verify, bool) or not isinstance(verify, int) or verify < 0:
        raise SpaceError(f"verify={short(verify)} must be 0 or a positive integer: the number of plans to compile")
    every = variants(costs, specs, plan, vary, zero, tracing or {})
    trained = all(each.is_trained for each in every)
    if not trained and (fits or front):
        raise SpaceError(UNTRAINED)
    question = PlanQuestion(on, optimizer, dtype, texts("where", where), fits, minimize, trained)
    number, size, found, fastest = 0, 0, list[FoundPlan](), list[FoundPlan]()
    batches, misses = "", Missed(on.name)
    for variant in every:
        place = room_of(variant.costs, chips, batch, microbatches, given or {})
        batches = place.batch
        as_found = partial(found_plan, variant, place, _told(variant, every), count)
        misses.add_room(place)
        for part in question.parts(variant, place):
            answer = sweep(part.formulas, part.feasible, minimize=minimize, top=top, show=question.shown)
            number, size = number + (answer.count or 0), size + answer.size
            misses.add(part, answer.count or 0)
            found += map(as_found, answer)
            if front:
                fastest += map(as_found, pareto(part.formulas, part.feasible, minimize=FRONT, show=question.shown))
    bounds = StepBounds(on, dtype)
    found = [bounds.told(each) for each in sorted(found, key=lambda each: each.row[minimize])[:top]]
    seconds = time.perf_counter() - started
    return Plans(
        tuple(found), number, size, seconds, minimize, on.name, {"optimizer": optimizer, "dtype": dtype}, batches, fits,
        str(misses),
        "; ".join(dict.fromkeys(types_said(each.costs, on, dtype) for each in every)),
        _left_out(every, given or {}), tuple(map(bounds.told, undominated(fastest, FRONT))),
        tuple(_verdict(each, targets, on_event) for each in found[:verify]),
    )  # fmt: skip


def _told(variant: Variant, every: Sequence[Variant]) -> dict[str, Any]:
    """The columns that tell a table and its stage from the others."""
    named = {"plan": variant.name} if any(each.name for each in every) else {}
    return {**named, **({"zero": variant.zero} if any(each.zero != every[0].zero for each in every) else {})}


def _left_out(every: Sequence[Variant], given: Mapping[str, Any]) -> str:
    """The sizes of axes that are searched from 2 on alone, in words: where others are left, and no form is known there."""
    found = dict.fromkeys(name for each in every for name in each.never_alone() if name not in given)
    if not found:
        return ""
    said = " and ".join(f"{name}=1" for name in found)
    return (
        f"plans with {said} are left out, as of those nothing is known here: trace the model (again), and with 1 for the size of "
        "that axis where this line is still there"
    )


def _verdict(found: FoundPlan, targets: str | Sequence[str], on_event: Callable[[str, str], None]) -> Any:
    from symcost.referee.verdicts.verify import verify

    try:
        return verify(found.variant.costs, at=dict(found.at), targets=targets, on_event=on_event)
    except SymcostError as problem:  # what was searched for is told nevertheless
        return NotJudged(str(problem))
