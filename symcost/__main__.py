"""``python -m symcost``: the command line."""

from symcost.cli.main import script

if __name__ == "__main__":
    script()
