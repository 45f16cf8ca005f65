"""Arrays that a program makes with numpy have its sizes: what is made of them is known, what asks for their numbers is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from recording_programs import Row, row
from test_recording import concrete, told

from symcost.tracing.evidence.record import record
from symcost.tracing.evidence.recording import recording


def rotary(x: Any) -> Any:
    """Angles of pairs."""
    d = x.shape[1]
    frequencies = 1.0 / 10000.0 ** (np.arange(0, d, 2)[: d // 2] / d)
    angles = jnp.outer(jnp.arange(x.shape[0]), frequencies)
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], 1) @ x.T[: 2 * (d // 2)]


def sines(x: Any) -> Any:
    """A table of positions that is filled in place."""
    n, d = x.shape
    table = np.zeros((n, d), dtype=np.float32)
    position = np.arange(0, n)[:, np.newaxis]
    rate = np.exp(np.arange(0, d, 2) * (-np.log(10000.0) / d))
    table[:, 0::2] = np.sin(position * rate)
    table[:, 1::2] = np.cos(position * rate)[:, : d // 2]
    return (x + jnp.asarray(table)[None]) @ x.T


def causal(x: Any) -> Any:
    """A mask."""
    n = x.shape[0]
    mask = np.tril(np.ones((n, n), dtype=bool))
    return jnp.where(mask, x @ x.T, np.full((n, n), -np.inf, dtype=np.float32)) @ x


def windows(x: Any) -> Any:
    """Regions of shifted windows, numbered."""
    h, w = x.shape
    image, count = np.zeros((1, h, w, 1)), 0
    for rows in (slice(0, -2), slice(-2, None)):
        for columns in (slice(0, -2), slice(-2, None)):
            image[:, rows, columns, :] = count
            count += 1
    regions = image.reshape(1, h // 2, 2, w // 2, 2, 1).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 4)
    alike = regions[:, None, :] - regions[:, :, None]
    return jnp.asarray(np.where(alike != 0, -100.0, 0.0), jnp.float32) @ jnp.ones((4, 3))


def relative(x: Any) -> Any:
    """A table that is read at an array of numpy's."""
    n = x.shape[0]
    index = np.arange(n)[:, None] - np.arange(n)[None, :]
    index += n - 1
    return jnp.zeros((2 * n - 1, 4))[index] @ jnp.ones((4, 3))


def grid(x: Any) -> Any:
    """Coordinates."""
    h, w = x.shape
    at = np.stack(np.meshgrid(np.arange(h), np.arange(w), indexing="ij")).reshape(2, -1).astype(np.float64) / w
    return jnp.sin(at).T @ jnp.ones((2, 5)) + np.linspace(0.0, 1.0, h * w)[:, None]


def drawn(x: Any) -> Any:
    """Weights as an initialiser draws them."""
    d = x.shape[1]
    return x @ jax.nn.initializers.orthogonal()(jax.random.key(0), (d, 4 * d))


def largest(x: Any) -> Any:
    """A decision by the numbers of a table."""
    return x @ x.T if np.arange(x.shape[0]).max() > 3 else x


def scaled(x: Any) -> Any:
    """A decision by a number that is made of a size, in an array of plain sizes."""
    return x @ x.T if (np.arange(1, 4) / x.shape[1])[0] < 0.2 else x


def written(x: Any) -> Any:
    """A decision by what was written into a view of an array of plain sizes."""
    table = np.zeros(x.shape[0])
    table[:2][0] = x.shape[1]
    return x @ x.T if table.sum() > 5 else x


ROWS = [
    row("rotary", rotary, "float32[N,d]", "N=6 d=8", "N=5,9 d=4,6,7,9,64", same=("N=9 d=64",)),
    row("sines", sines, "float32[n,d]", "n=6 d=8", "n=5,9 d=4,7,9,64", same=("n=9 d=64",)),
    row("causal", causal, "float32[n,d]", "n=6 d=8", "n=1,2,5,99 d=4,7", same=("n=99 d=7",)),
    row("windows", windows, "float32[h,w]", "h=6 w=8", "h=4,5,10 w=6,7,64", same=("h=10 w=64",)),
    row("relative", relative, "float32[n,d]", "n=6 d=8", "n=1,2,5,33 d=4", same=("n=33 d=4",)),
    row("grid", grid, "float32[h,w]", "h=6 w=8", "h=1,5,10 w=2,64", same=("h=10 w=64",)),
    row("drawn", drawn, "float32[n,d]", "n=6 d=8", "n=2,9 d=3,64", same=("n=9 d=64",)),
    row("largest", largest, "float32[n,d]", "n=6 d=8", "n=2,3,4,9 d=8", pins=("n",)),
    row("scaled", scaled, "float32[n,d]", "n=6 d=8", "n=6 d=4,5,6", pins=("d",)),
    row("written", written, "float32[n,d]", "n=6 d=8", "n=6,9 d=4,5,6", pins=("d", "n")),
    row("chosen", lambda x: x[:, np.arange(x.shape[1]) > 3] @ jnp.ones((x.shape[1] - 4, 2)), "float32[n,d]", "n=6 d=8",
        "n=2 d=5,9", pins=("d",)),
    row("counted", lambda x: sum(x[i] @ x[i].T for i in np.arange(x.shape[0])), "float32[k,3,4]", "k=3", "k=2,4", pins=("k",)),
    row("root, numpy's number first", lambda x: x @ x if np.float64(5.5) < np.sqrt(x.shape[0]) else x, "float32[d,d]", "d=64",
        "d=29,30,31,32", "5.5 < np.sqrt(d)"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_where_nothing_that_was_recorded_changes_the_program_is_the_same(case: Row) -> None:
    found = record(case.model(), case.base)
    assert found.traced, found.reason
    assert {str(each) for each in found.guards} >= set(case.guards)
    assert found.pinned == set(case.pins)
    points = [dict(zip(case.values, each, strict=True)) for each in itertools.product(*case.values.values())]
    for point in (case.base, *points, *case.same):
        if found.changed(point) is None:
            assert told(found, point) == concrete(case.model(), point), point
    assert not [found.changed(point) for point in (case.base, *case.same) if found.changed(point)]


ASKS: dict[str, Callable[[Any], Any]] = {
    "bool": bool, "int": lambda each: int(each[0]), "float": lambda each: float(each[0]), "list": list, "array": np.array,
    "str": str, "item": lambda each: each.item(), "in": lambda each: 3 in each, "tolist": lambda each: each.tolist(),
    "nonzero": np.nonzero, "format": lambda each: f"{each}",
}  # fmt: skip


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_what_asks_for_the_numbers_of_an_array_pins_what_it_was_made_of(ask: Callable[[Any], Any]) -> None:
    with recording({"d": 3}) as seen:
        found = ask(np.ones(1) * (seen.dimension("d") + 1))
    expected = ask(np.ones(1) * 4)
    assert found == expected or all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))
    assert [str(pin).split(" at ")[0] for pin in seen.pins] == ["d + 1 as a plain number"]


def test_an_array_of_symbolic_sizes_is_one_of_numpys_to_the_model() -> None:
    with recording({"n": 4, "d": 6}) as seen:
        n, d = seen.dimension("n"), seen.dimension("d")
        table = np.zeros((n, d))
        assert isinstance(table, np.ndarray)
        assert (table.dtype, table.ndim, table.T.shape, str(seen.form(table.size))) == (np.float64, 2, (d, n), "d*n")
        assert [each.shape for each in np.split(np.ones((n, 6)), 2, axis=1)] == [(n, 3), (n, 3)]
    assert not seen.pins


def test_numpy_makes_what_it_made_before_of_plain_sizes() -> None:
    with recording({"d": 3}):
        assert np.arange(2, 9, 3).tolist() == [2, 5, 8]
        assert type(np.full((2, 2), 7)) is np.ndarray
        assert type(np.array([1.5])) is np.ndarray
