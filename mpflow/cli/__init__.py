"""The command line: parse, call the api, show a view, choose an exit code.

Exit codes: 0 passed; 1 failed; 2 usage, or a file that cannot be run; 3 a bug in mpflow;
4 unknown; 130 interrupted.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from mpflow.engine.start import Started

PASSED, FAILED, USAGE, BUG, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 4, 130


def script() -> NoReturn:
    """What the shell calls: main, and then out, without taking the interpreter apart first; that
    would take longer than showing a trace."""
    import atexit
    import os
    import signal

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough: ending takes no time
        raise KeyboardInterrupt

    code = INTERRUPTED
    try:
        if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
        code = main()
    except KeyboardInterrupt:
        pass
    except SystemExit as leaving:  # argparse: help, or a fault in the arguments
        code = leaving.code if isinstance(leaving.code, int) else 0
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or FAILED
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; nothing but SystemExit of argparse escapes."""
    collecting = gc.isenabled()
    gc.disable()  # what a command makes lives until its end; looking for cycles costs a tenth
    _prepare_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    started = _early_host(arguments)
    try:
        from mpflow.cli.parser import parser

        options = parser().parse_args(arguments)
        options.started = started
        code: int = options.command(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget_stdout()
        return FAILED
    except OSError as error:
        return _unwritable(error) if _is_full(error) else _bug(error)
    except Exception as error:
        return _bug(error)
    finally:
        if started is not None:
            started.close()
        if collecting:
            gc.enable()


def _early_host(arguments: Sequence[str]) -> Started | None:
    """The first run's host, started before anything else: it loads what it needs while we load
    what we need. None where nothing is to be run, or can be."""
    if not arguments or arguments[0] != "run":
        return None
    from mpflow.engine.start import EngineError, start

    try:
        return start()
    except EngineError:
        return None  # said when the first run needs one


def forget_stdout() -> None:
    """Whoever read our output has gone; the interpreter must not complain when it flushes."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _prepare_streams() -> None:
    """Descriptors 0 to 2 are open, or our own pipes would come to stand there, where a scenario
    prints; and a character that the terminal does not know is no error."""
    import os

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif stream.errors in ("strict", "surrogateescape") and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _is_full(error: OSError) -> bool:
    """Whether it is the disk, and nothing of ours, that the error is about."""
    import errno

    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _unwritable(error: OSError) -> int:
    forget_stdout()
    place = f" to {error.filename}" if error.filename else ""
    print(f"mpflow: cannot write{place}: {error.strerror}", file=sys.stderr)
    return USAGE


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
