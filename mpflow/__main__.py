"""python -m mpflow."""

from mpflow.cli import script

if __name__ == "__main__":
    script()
