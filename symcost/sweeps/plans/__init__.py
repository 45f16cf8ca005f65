"""Plans of a model on so many chips: meshes, batches, microbatches and shares of the optimizer, searched exactly."""
