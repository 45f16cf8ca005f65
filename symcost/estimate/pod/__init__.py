"""Many devices: what their collectives take, how long a step is, and when which of them is waited for."""
