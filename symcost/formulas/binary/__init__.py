"""Functions of the binary digits of sizes: how many there are, and how many of them are 1."""
