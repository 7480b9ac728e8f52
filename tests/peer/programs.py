"""Run a program of the folder `programs` by an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "programs"


def run(name: str, *arguments: str, options: Sequence[str] = ()) -> list[Any]:
    """Its exit code, what it printed, what it complained of."""
    command = [sys.executable, *options, str(FOLDER / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    return [done.returncode, done.stdout.strip(), done.stderr.strip()]
