"""``python -m symcost``: the command line."""

from symcost.cli import script

if __name__ == "__main__":
    script()
