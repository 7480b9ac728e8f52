"""What all tests share: short YAML to a trace, and the check that nothing is left behind."""

from __future__ import annotations

import os
import signal
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mpflow import api
from mpflow.scenario import Choice
from mpflow.trace import Event, Trace

METHODS = ("fork", "spawn", "forkserver")
# Those for the many files of the gallery and of tests/peer: CI asks for all on one Python alone.
CHOSEN = os.environ.get("MPFLOW_METHODS", " ".join(METHODS)).split()
_MARK = "MPFLOW_TEST_SESSION"

os.environ[_MARK] = str(os.getpid())  # inherited by every process that a test starts


@pytest.fixture(autouse=True, scope="session")
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders that other programs make must not look like ours."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("temporary"))
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    """Each start method in turn."""
    found: str = request.param
    return found


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Trace]:
    """A function: the text of a scenario without its first line -> the trace of one run."""

    def run_text(text: str, method: str = "fork", **options: Any) -> Trace:
        whole = "mpflow: 1\n" + textwrap.dedent(text)
        name = str(tmp_path / "scenario.yaml")
        timeout = options.pop("timeout", None)
        loaded = api.loads(whole, name, Choice(start_method=method, timeout=timeout))
        assert loaded.problems == [], "\n".join(p.render() for p in loaded.problems)
        return api.run(loaded.scenarios[0], quiet=True, seed=options.pop("seed", 1), **options)

    return run_text


def told(trace: Trace, process: str) -> list[tuple[str, str | None, str]]:
    """What one process did: (action, on, status), in order."""
    return [(e.action, e.on, e.status) for e in trace.events if e.process == process]


def event(trace: Trace, process: str, action: str, on: str | None = None) -> Event:
    """The one event of a process that does this."""
    (found,) = [
        e
        for e in trace.events
        if e.process == process and e.action == action and on in (None, e.on)
    ]
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No test leaves a process, a semaphore or a temporary folder."""
    before = _left()
    yield
    deadline = time.monotonic() + 10
    while (left := _left() - before) and time.monotonic() < deadline:
        time.sleep(0.01)  # what was killed needs a moment to die
    for kind, name in left:
        if kind == "process":
            os.kill(int(name.split()[0]), signal.SIGKILL)
    assert not left


def _left() -> set[tuple[str, str]]:
    found = {("process", each) for each in _processes()}
    found |= {("semaphore", name) for name in _semaphores()}
    folder = tempfile.gettempdir()
    return found | {("folder", name) for name in os.listdir(folder) if name.startswith("mpflow-")}


def _semaphores() -> set[str]:
    """Named semaphores that no living process uses: those of other programs are left out."""
    names = {name for name in os.listdir("/dev/shm") if name.startswith("sem.mp-")}
    for pid in filter(str.isdigit, os.listdir("/proc") if names else ()):
        try:
            maps = Path(f"/proc/{pid}/maps").read_text()
        except OSError:
            continue
        names = {name for name in names if name not in maps}
    return names


def _processes() -> Iterator[str]:
    """Living processes that carry our mark in their environment, besides this one."""
    mark = f"{_MARK}={os.getpid()}".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue  # gone meanwhile, or not ours
        if mark in environment.split(b"\0") and int(pid) != os.getpid():
            yield f"{pid} {command[:100].decode(errors='replace')}"
