"""The reference networks by name: where each is defined, what its input is, and who published it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.layers.base import Layer
from symcost.layers.sizes.algebra import size
from symcost.layers.sizes.types import SizeLike
from symcost.layers.table import table
from symcost.reading.nearest import choose, folded, near, offered, same
from symcost.reading.numerals import short, whole_or_text

IMAGE = ("n", "3", "r", "r")
TOKENS = ("n", "N")


@dataclass(frozen=True)
class Reference:
    """A published network: calling it gives its table.

    ``x`` is the input's shape in the symbols of ``sizes``, whose values are those of the publication; they and the
    parameters of the network may be given other values, or symbols.
    """

    name: str
    file: str
    source: str
    x: tuple[str, ...] = IMAGE
    r: int = 224

    @property
    def sizes(self) -> dict[str, int]:
        """Names and default values of the input's sizes."""
        values = {"n": 1, "r": self.r, "N": self.r}
        return {name: values[name] for name in dict.fromkeys(self.x) if name in values}

    @property
    def dtype(self) -> str:
        """Number type of the input."""
        return "int32" if self.x == TOKENS else "float32"

    @property
    def factory(self) -> Any:
        """The function that makes the network."""
        return getattr(import_module(f"symcost.models.nets.{self.file}"), self.name)

    @property
    def parameters(self) -> dict[str, Any]:
        """Names and default values of what may be varied: the input's sizes, then the network's own."""
        own = inspect.signature(self.factory).parameters.values()
        return {**self.sizes, **{p.name: p.default for p in own}}

    def net(self, **given: Any) -> Layer:
        """The network as layers."""
        own = [name for name in self.parameters if name not in self.sizes]
        for name in given:
            if name in self.sizes:
                raise SymcostError(
                    f"{name} is a size of {self.name}'s input and no parameter of its layers: give {name} to "
                    f"{self.name}(...), and here only {', '.join(own)}"
                )
            if name not in own:
                raise SymcostError(
                    f"{self.name} has no parameter {short(name)}: it has {', '.join(self.parameters)}{_near(name, own)}"
                )
        return self.factory(**given)

    def __call__(self, **given: SizeLike) -> CostTable:
        """The table; ``sc.build(table.net)`` is the Flax module."""
        sizes = {name: size(_number(given.get(name, value)), name) for name, value in self.sizes.items()}
        shape = tuple(sizes.get(axis, axis) for axis in self.x)
        made = table(self.net(**{n: v for n, v in given.items() if n not in self.sizes}), tuple(map(_number, shape)))
        made.parts = replace(made.parts, name=self.name)
        return made


def _number(length: SizeLike) -> SizeLike:
    return whole_or_text(length) if isinstance(length, str) else length


def _near(name: str, known: Any) -> str:
    found = near(name, known)
    return f"; {offered(found, '')}" if found else ""


_TORCHVISION = "as in torchvision"
_EFFICIENTNET = f"Tan, Le: EfficientNet, arXiv:1905.11946, {_TORCHVISION}"
_RESNET = f"He et al.: Deep Residual Learning, arXiv:1512.03385, {_TORCHVISION}"
_VGG = f"Simonyan, Zisserman: Very Deep Convolutional Networks, arXiv:1409.1556, {_TORCHVISION}"
_EFFICIENTNET_CROPS = (224, 240, 288, 300, 380, 456, 528, 600)
_MCUNET_SIDES = (48, 96, 160, 176, 160)


def _listed() -> Iterator[Reference]:
    alexnet = "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep CNNs, NeurIPS 2012, with groups"
    yield Reference("alexnet", "alexnet", alexnet)
    yield Reference("alexnet_torchvision", "alexnet", f"Krizhevsky: One weird trick, arXiv:1404.5997, {_TORCHVISION}")
    yield from (Reference(f"vgg{depth}", "vgg", _VGG) for depth in (11, 13, 16, 19))
    yield from (Reference(f"resnet{depth}", "resnet", _RESNET) for depth in (18, 34, 50, 101, 152))
    yield Reference("mobilenet_v1", "mobilenet", "Howard et al.: MobileNets, arXiv:1704.04861")
    yield Reference("mobilenet_v2", "mobilenet", f"Sandler et al.: MobileNetV2, arXiv:1801.04381, {_TORCHVISION}")
    yield Reference("squeezenet", "squeezenet", f"Iandola et al.: SqueezeNet, arXiv:1602.07360, {_TORCHVISION}")
    yield Reference("densenet121", "densenet", f"Huang et al.: DenseNet, arXiv:1608.06993, {_TORCHVISION}")
    for index, crop in enumerate(_EFFICIENTNET_CROPS):
        yield Reference(f"efficientnet_b{index}", "efficientnet", _EFFICIENTNET, r=crop)
    yield Reference(
        "convnext_tiny", "convnext", f"Liu et al.: A ConvNet for the 2020s, arXiv:2201.03545, {_TORCHVISION}"
    )
    yield Reference("vit", "vit", f"Dosovitskiy et al.: ViT, arXiv:2010.11929, B/16 {_TORCHVISION}")
    yield Reference("efficientvit_b1", "efficientvit", "Cai et al.: EfficientViT, ICCV 2023, arXiv:2205.14756")
    for index, side in enumerate(_MCUNET_SIDES):
        yield Reference(f"mcunet_in{index}", "mcunet", "Lin et al.: MCUNet, NeurIPS 2020, arXiv:2007.10319", r=side)
    yield Reference(
        "gpt2", "gpt2", "Radford et al.: Language Models are Unsupervised Multitask Learners, 2019", TOKENS, 1024
    )
    yield Reference("llama", "llama", "Grattafiori et al.: The Llama 3 Herd of Models, arXiv:2407.21783", TOKENS, 1024)


REFERENCES: Mapping[str, Reference] = {entry.name: entry for entry in _listed()}

ALIASES: Mapping[str, str] = {"vitb16": "vit", "vitbase16": "vit", "vitb": "vit", "gpt2small": "gpt2"}
"""Other names, folded, of the same networks."""


def reference(name: str) -> Reference:
    """The network of that name, however its case and hyphens are written; the nearest ones are offered otherwise."""
    if name not in REFERENCES:
        known = ALIASES.get(folded(name)) or same(name, REFERENCES)
        if known is None:
            raise SymcostError(f"unknown model {short(name)}: {choose(name, REFERENCES)} (symcost models lists all)")
        name = known
    return REFERENCES[name]


def literal(text: str) -> object:
    """The value of a network's parameter: a flag, an integer, or a text such as 1.4 that the network reads exactly."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return whole_or_text(text)
