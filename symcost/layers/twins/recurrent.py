"""Twins of recurrent layers."""

from __future__ import annotations

from typing import Any

import flax.linen as nn

from symcost.layers.kinds.recurrent import GRU, LSTM
from symcost.layers.twins.base import twin


@twin(LSTM)
def lstm(layer: LSTM, x: Any) -> Any:
    """``nn.RNN`` over ``nn.LSTMCell``."""
    return nn.RNN(nn.LSTMCell(layer.d))(x)


@twin(GRU)
def gru(layer: GRU, x: Any) -> Any:
    """``nn.RNN`` over ``nn.GRUCell``."""
    return nn.RNN(nn.GRUCell(layer.d))(x)
