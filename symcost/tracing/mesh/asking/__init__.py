"""How XLA's partitioner is asked: a program lowered for a mesh, traced or written, and the text of one device that comes back."""
