"""The reference networks by name, for type checkers; ``symcost/models/catalog.py`` has them."""

from .catalog import Reference

alexnet: Reference
alexnet_torchvision: Reference
convnext_tiny: Reference
densenet121: Reference
efficientnet_b0: Reference
efficientnet_b1: Reference
efficientnet_b2: Reference
efficientnet_b3: Reference
efficientnet_b4: Reference
efficientnet_b5: Reference
efficientnet_b6: Reference
efficientnet_b7: Reference
efficientvit_b1: Reference
gpt2: Reference
llama: Reference
mcunet_in0: Reference
mcunet_in1: Reference
mcunet_in2: Reference
mcunet_in3: Reference
mcunet_in4: Reference
mobilenet_v1: Reference
mobilenet_v2: Reference
resnet101: Reference
resnet152: Reference
resnet18: Reference
resnet34: Reference
resnet50: Reference
squeezenet: Reference
vgg11: Reference
vgg13: Reference
vgg16: Reference
vgg19: Reference
vit: Reference
