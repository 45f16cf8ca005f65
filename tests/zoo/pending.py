"""Rows that are not tested yet, each with its reason: move a row's name out of here when its reason is gone."""

SLOW = {"conformer_train", "efficientnet_width", "llama_train", "regnet", "swin", "t5", "t5_train"}
"""Rows that take a minute or more: ``pytest -m slow tests/test_zoo.py`` tries them."""
PENDING = {
    "densenet": "widths halved with // are periodic in the growth and the number of layers",
    "efficientnet": "depths are ceilings of a multiplier: they repeat after ten steps of it",
    "mamba_associative": "the recursion depth is a logarithm of the length",
    "moe_layer_train": "the low edge of N is higher than it need be",
    "nnx_cnn_stages": "sizes are geometric in the number of stages",
    "dit": "its table of positions is a constant of gigabytes at far points",
    "swin_two_stages": "masks of all windows are constants; at the small point XLA folds one that has a single value",
    "unet_levels": "sizes are geometric in the number of levels",
}
