"""Asks the compilers: targets, worker processes, the cache of their answers. No accelerator is needed or touched."""
