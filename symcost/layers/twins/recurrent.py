"""Twins of recurrent layers."""

from __future__ import annotations

import flax.linen as nn

from symcost.layers.kinds.recurrent import GRU, LSTM
from symcost.layers.twins.base import modules

modules({LSTM: lambda layer: nn.RNN(nn.LSTMCell(layer.d)), GRU: lambda layer: nn.RNN(nn.GRUCell(layer.d))})
