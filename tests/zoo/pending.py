"""Rows of every run; long ones whose kind others show; and those that are not tested yet: a row leaves when its reason is gone."""

DAILY = {
    "cond", "funnel", "mixer", "nnx_lora", "nnx_recurrent", "wavenet", "switch", "vae", "llama_width", "pointnet",
    "moe_python",
}  # fmt: skip
"""Rows of every run, some of each module; the campaign tries all others."""
REPEATED = {
    "bert_train": ("bert", "gpt2_train"),
    "conformer_train": ("conformer", "conformer_train_width"),
    "gpt2": ("gpt2_block_size",),
    "gpt2_train_depth": ("gpt2_train",),
    "graph_net_train": ("graph_net", "graph_net_train_width"),
    "llama_train": ("llama", "gpt2_train"),
    "lstm_seq2seq_width": ("lstm_seq2seq",),
    "moe_capacity": ("moe_layer",),
    "nnx_list_gpt_train": ("nnx_list_gpt", "nnx_scanned_train"),
    "nnx_scanned": ("nnx_scanned_train",),
    "resnet18_train": ("resnet_train_width",),
    "resnet50_synced": ("resnet_synced_width", "convnext"),
    "t5_depth": ("t5",),
    "t5_train": ("t5", "gpt2_train"),
    "unet_train": ("unet", "vae_train"),
    "vit_train": ("vit", "vit_train_depth"),
}
"""Long rows, and the rows that show their kind: the whole campaign alone tries them."""
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
