"""Python code by its name: `package.module:function` goes in, the function or class comes out.

A module that ends in `.py` is a file. It goes by its stem where Python finds that very file so;
any other gets a name of its own, and in the run's folder a module of that name which leads to it.
Both ways sys.path is enough to find it: so whatever the file defines can be pickled, to processes
that Python code starts by itself, too.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module, invalidate_caches
from typing import Any

from mpflow.naming import file_of, python_files, split
from mpflow.plan import Program

MODULES = "modules"  # in the run's folder: what leads to files

_LEADS = """\
import sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location(__name__, {file!r})
sys.modules[__name__] = module_from_spec(spec)
spec.loader.exec_module(sys.modules[__name__])
"""


def prepare(program: Program, folder: str) -> None:
    """Have Python find the scenario's code, here and in every process that comes of this one: in
    the scenario's folder first, then as always, then here and beside the files that are named."""
    home = program.folder
    if _hides(home):  # there it comes last, or `import random` would find ./random.py
        sys.path[:] = [each for each in sys.path if os.path.abspath(each) != home]
        sys.path.append(home)
    else:
        sys.path.insert(0, home)
    sys.path.append(os.getcwd())
    files = [file for file in (file_of(each, home) for each in program.files) if file]
    for file in files:
        _know(os.path.dirname(file))
    os.mkdir(os.path.join(folder, MODULES))
    sys.path.append(os.path.join(folder, MODULES))
    for file in files:
        if os.path.isfile(file):
            _name(file, folder)


def find(name: object, home: str, folder: str) -> Any:
    """What `module:function` names; `home` is the scenario's folder, `folder` the run's."""
    if not isinstance(name, str):
        raise TypeError(f"a function is named by a text, not by {type(name).__name__}")
    module, attribute = split(name)
    if not module or not all(part.isidentifier() for part in attribute.split(".")):
        meant = "package.module:function or ./file.py:function"
        raise ValueError(f"{name!r} names no function; write {meant}")
    found = _module(module, home, folder)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AttributeError(_lacks(module, found, part, home)) from None
    return found


def _module(module: str, home: str, folder: str) -> Any:
    file = file_of(module, home)
    if file is None:
        return _imported(module, home)
    if not os.path.isfile(file):
        raise _no_file(module, file, home)
    try:
        return import_module(_name(file, folder))
    except ImportError as error:
        if "no known parent package" in str(error.msg):
            hint = "a module of a package is named package.module:function"
            error.msg = f"{error.msg}: {module} is loaded by itself; {hint}"
        raise


def _imported(module: str, home: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module != missing and not module.startswith(f"{missing}."):
            raise  # the module is there, and looks for another one
        told = f"{error}: it is neither in {home} nor installed"
        raise ModuleNotFoundError(told + _near(missing, python_files(home)), name=missing) from None


def _no_file(module: str, file: str, home: str) -> OSError:
    if os.path.isdir(file):
        return IsADirectoryError(f"{module} is a folder, not a file of Python code")
    folder, name = os.path.split(file)
    near = _near(name.removesuffix(".py"), python_files(folder))
    near = f"{near[:-1]}.py?" if near else near
    return FileNotFoundError(f"there is no file {module}, seen from {home}{near}")


def _lacks(module: str, holder: Any, part: str, home: str) -> str:
    """Why a part of a name leads nowhere."""
    shown = module if getattr(holder, "__spec__", None) else getattr(holder, "__name__", "it")
    told = f"{shown} has no {part}{_near(part, getattr(holder, '__dict__', ()))}"
    if module in sys.stdlib_module_names and os.path.isfile(os.path.join(home, f"{module}.py")):
        told += f"; {module} is Python's own module, the file beside the scenario is ./{module}.py"
    return told


def _near(name: str, known: Any) -> str:
    from mpflow.problems import near

    close = near(name, [each for each in known if isinstance(each, str)])
    return "" if close is None else f"; did you mean {close}?"


# The names of files


@cache
def _name(file: str, folder: str) -> str:
    """The name of a file's module, the same in every process of a run."""
    from zlib import crc32

    stem = os.path.basename(file).removesuffix(".py")
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in stem)
    own = f"{letters}_{crc32(os.fsencode(file)):08x}"
    leading = os.path.join(folder, MODULES, f"{own}.py")
    if os.path.exists(leading):
        return own
    if _is_found(stem, file):
        return stem
    _know(os.path.dirname(file))
    with open(f"{leading}.{os.getpid()}", "w", encoding="utf-8", errors="surrogateescape") as new:
        new.write(_LEADS.format(file=file))
    os.rename(new.name, leading)
    invalidate_caches()
    return own


def _is_found(stem: str, file: str) -> bool:
    """Whether Python finds that very file by its stem."""
    from importlib.util import find_spec

    if not stem or "." in stem:
        return False
    try:
        spec = find_spec(stem)
    except (ImportError, ValueError):  # ValueError: of `__main__`
        return False
    return spec is not None and spec.has_location and _same(str(spec.origin), file)


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _know(folder: str) -> None:
    """Have modules be found in a folder, if nowhere else: those beside a file that is named."""
    if folder not in sys.path:
        sys.path.append(folder)


def _hides(folder: str) -> bool:
    """Whether something in a folder goes by the name of a module of Python's own, or of ours."""
    known = sys.stdlib_module_names | {"mpflow"}
    try:
        return any(
            name.removesuffix(".py") in known
            and (name.endswith(".py") or os.path.exists(os.path.join(folder, name, "__init__.py")))
            for name in os.listdir(folder)
        )
    except OSError:
        return False
