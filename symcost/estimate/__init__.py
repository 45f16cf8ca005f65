"""Estimates: latency, energy and memory on a device, what fits, and what is largest; exact in the model's symbols."""
