"""Bytes: what a model needs of memory, in inference, training and decoding, and whether it fits."""
