"""What a convolution is in a program: a forward pass, plain or transposed, or a gradient of one, of any order.

Shapes do not tell: a convolution padded by ``k - 1``, the input gradient of an unpadded one and a transposed one of stride 1
are the same operation. While a model is traced, jax's rules for gradients of convolutions leave a scope on what they make; the
scopes of a second derivative follow those of the first. That ``lax.conv_transpose`` made a convolution is in the traceback of
its equation, which jax hands on to every gradient, batch and recomputation.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
from jax import lax
from jax.interpreters import ad

_CONVOLUTION = lax.conv_general_dilated_p
_SCOPES = {"gradient of lhs": "lhs", "gradient of rhs": "rhs"}
_marking = jax.make_user_context(False)
"""Whether this thread marks gradients; part of the keys of jax's caches, so that what was traced without is traced again."""


class _Rules:
    """The table of jax's rules for gradients of convolutions, changed while anyone is tracing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._own: tuple[Any, Any] = (None, None)

    def enter(self) -> None:
        """The first who comes wraps the rules."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._own = ad.primitive_transposes[_CONVOLUTION].args
                self._register(*map(_marked, self._own, _SCOPES))

    def leave(self) -> None:
        """The last who goes puts them back."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._register(*self._own)

    @staticmethod
    def _register(lhs: Any, rhs: Any) -> None:
        forward = ad.primitive_jvps[_CONVOLUTION]
        ad.defbilinear(_CONVOLUTION, lhs, rhs)
        ad.primitive_jvps[_CONVOLUTION] = forward


_rules = _Rules()


def _marked(rule: Callable[..., Any], scope: str) -> Callable[..., Any]:
    @functools.wraps(rule)
    def marking(*args: Any, **params: Any) -> Any:
        if not _marking.value:  # another thread's trace
            return rule(*args, **params)
        with jax.named_scope(scope):
            return rule(*args, **params)

    return marking


@contextlib.contextmanager
def gradients_marked() -> Iterator[None]:
    """Within it, gradients of convolutions carry their scopes; jax's own rules are back afterwards, come what may."""
    _rules.enter()
    try:
        with _marking(True):
            yield
    finally:
        _rules.leave()


def parameters(eqn: Any) -> Mapping[str, Any]:
    """An equation's parameters; a convolution's with its role.

    ``transposed``: whether the forward pass is that of ``lax.conv_transpose``. ``gradients``: of which operand it is the
    gradient, ``("lhs",)`` or ``("rhs",)``; of a gradient's gradient the first one stands first; nothing for a forward pass.
    """
    if eqn.primitive is not _CONVOLUTION:
        return eqn.params
    traceback, stack = eqn.source_info.traceback, eqn.source_info.name_stack.stack
    return {
        **eqn.params,
        "transposed": traceback is not None and lax.conv_transpose.__code__ in traceback.raw_frames()[0],
        "gradients": tuple(_SCOPES[scope.name] for scope in stack if scope.name in _SCOPES),
    }
