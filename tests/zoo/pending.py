"""Rows that are not tested yet, each with its reason: move a row's name out of here when its reason is gone."""

SLOW = "lifts, but takes too long for a test"
PENDING = {
    "conformer_train": SLOW,
    "densenet": "widths halved with // are periodic in the growth and the number of layers",
    "efficientnet": "depths are ceilings of a multiplier: they repeat after ten steps of it",
    "efficientnet_width": SLOW,
    "llama_train": SLOW,
    "mamba_associative": "the recursion depth is a logarithm of the length",
    "moe_layer_train": "the low edge of N is higher than it need be",
    "nnx_cnn_stages": "sizes are geometric in the number of stages",
    "regnet": SLOW,
    "dit": "its table of positions is a constant of gigabytes at far points",
    "swin": SLOW,
    "swin_two_stages": "masks of all windows are constants; at the small point XLA folds one that has a single value",
    "t5": SLOW,
    "t5_train": SLOW,
    "unet_levels": "sizes are geometric in the number of levels",
}
