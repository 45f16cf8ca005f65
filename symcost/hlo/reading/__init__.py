"""HLO text as instructions and computations."""
