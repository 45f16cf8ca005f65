"""Devices: data with units and sources, one TOML table each, and those of the user.

>>> from symcost.devices import device
>>> device("stm32f746").memory_of("activations").size
Fraction(327680, 1)
"""

from __future__ import annotations

from symcost.devices.catalog import device, names
from symcost.devices.device import Device, Energies, MemoryLevel, Rates
from symcost.devices.networks import Interconnect

__all__ = ["Device", "Energies", "Interconnect", "MemoryLevel", "Rates", "device", "names"]
