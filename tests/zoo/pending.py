"""Rows of every run; and those that are not tested yet, each with its reason: it leaves when its reason is gone."""

DAILY = {
    "cond", "funnel", "mixer", "nnx_lora", "nnx_recurrent", "wavenet", "switch", "vae", "llama_width", "mamba_train",
    "moe_python",
}  # fmt: skip
"""Rows of every run, some of each module; the campaign tries all others."""
PENDING = {
    "densenet": "widths halved with // are periodic in the growth and the number of layers",
    "efficientnet": "depths are ceilings of a multiplier: they repeat after ten steps of it",
    "mamba_associative": "the recursion depth is a logarithm of the length",
    "moe_layer_train": "the low edge of N is higher than it need be",
    "mobilenet_v2": "roundings of w/20 fall as they were seen at one sample alone: refused, since a form of one value is no form",
    "nnx_cnn_stages": "sizes are geometric in the number of stages",
    "dit": "its table of positions is a constant of gigabytes at far points",
    "swin_two_stages": "masks of all windows are constants; at the small point XLA folds one that has a single value",
    "swin": "the domain begins at a width of 48, half of what the row asks for",
    "unet_levels": "sizes are geometric in the number of levels",
}
