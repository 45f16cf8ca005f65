"""What a model does again and again is traced once: flax's own layers, and what their fields consist of."""
