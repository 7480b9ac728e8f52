"""The command line: parse, call the api, show a view, choose an exit code.

Exit codes: 0 passed; 1 failed; 2 usage, or a file that cannot be run; 3 a bug in mpflow;
4 unknown; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

PASSED, FAILED, USAGE, BUG, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 4, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; nothing but SystemExit of argparse escapes."""
    from mpflow.cli.parser import parser

    options = parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return FAILED
    except Exception as error:
        return _bug(error)


def _forget_stdout() -> None:
    """Whoever read our output has gone; the interpreter must not complain when it flushes."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _bug(error: Exception) -> int:
    import traceback

    from mpflow import __version__

    traceback.print_exception(error)
    print(
        f"\nmpflow {__version__} has a bug: {type(error).__name__}. Please report it, with the\n"
        "scenario file, the command line and the lines above, where you got mpflow from.",
        file=sys.stderr,
    )
    return BUG
