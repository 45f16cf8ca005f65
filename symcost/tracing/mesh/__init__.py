"""What one device of a mesh does: the program that XLA's partitioner makes of a model, read as records and lifted."""
