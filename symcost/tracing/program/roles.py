"""What a convolution is in a program: a forward pass, plain or transposed, or a gradient of one, of any order.

Shapes do not tell: a convolution padded by ``k - 1``, the input gradient of an unpadded one and a transposed one of stride 1
are the same operation. While a model is traced, a convolution that ``lax.conv_transpose`` or one of jax's rules for gradients
makes carries a scope that says so. jax hands scopes on to gradients, batches and recomputations; those of a second derivative
follow those of the first.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import Any

import jax
from jax import lax
from jax.interpreters import ad

_CONVOLUTION = lax.conv_general_dilated_p
_TRANSPOSED = "transposed convolution"
_GRADIENTS = {"gradient of lhs": "lhs", "gradient of rhs": "rhs"}
_transpose: Any = ad.primitive_transposes[_CONVOLUTION]  # a partial of both rules
_makers: dict[CodeType, str] = dict(zip((rule.__code__ for rule in _transpose.args), _GRADIENTS, strict=True))
_makers[lax.conv_transpose.__code__] = _TRANSPOSED

_marking = jax.make_user_context(False)
"""Whether this thread marks roles; part of the keys of jax's caches, so that what was traced without is traced again."""
_lock = threading.Lock()
_tracing: list[None] = []
"""One entry for each trace under way, in whatever thread."""


def _bind(*args: Any, **params: Any) -> Any:
    """``conv_general_dilated_p.bind``, in the scope of who called ``lax.conv_general_dilated``."""
    caller = sys._getframe(1).f_back
    scope = _makers.get(caller.f_code) if caller is not None and _marking.value else None
    with jax.named_scope(scope) if scope else contextlib.nullcontext():
        return type(_CONVOLUTION).bind(_CONVOLUTION, *args, **params)


@contextlib.contextmanager
def roles_marked() -> Iterator[None]:
    """Within it, convolutions carry the scopes of their roles; jax's primitive is as before afterwards, come what may."""
    with _lock:
        _tracing.append(None)
        _CONVOLUTION.bind = _bind
    try:
        with _marking(True):
            yield
    finally:
        with _lock:
            _tracing.pop()
            if not _tracing:
                del _CONVOLUTION.bind


def parameters(eqn: Any) -> Mapping[str, Any]:
    """An equation's parameters; a convolution's with its role.

    ``transposed``: whether the forward pass is that of ``lax.conv_transpose``. ``gradients``: of which operand it is the
    gradient, ``("lhs",)`` or ``("rhs",)``; of a gradient's gradient the first one stands first; nothing for a forward pass.
    """
    if eqn.primitive is not _CONVOLUTION:
        return eqn.params
    scopes = [scope.name for scope in eqn.source_info.name_stack.stack]
    gradients = tuple(_GRADIENTS[name] for name in scopes if name in _GRADIENTS)
    return {**eqn.params, "transposed": _TRANSPOSED in scopes, "gradients": gradients}
