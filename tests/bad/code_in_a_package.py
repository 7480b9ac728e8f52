"""A module that is a part of a package: it is none by itself."""

from . import code


def run() -> None:
    code.run()
