"""PyTorch's libraries, loaded so that other threads go on."""

import contextlib
import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_LIBRARIES = ("libtorch_cpu", "libtorch_python")
_SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"


def preload_torch() -> None:
    """Let the system load PyTorch's libraries before Python imports them.

    The import statement holds Python's global lock while the system links half a gigabyte, and a user interface stands
    still for as long; a foreign function does not hold it. What cannot be found here is left to the import. On
    Windows PyTorch itself loads them so.
    """
    spec = None if "torch" in sys.modules else importlib.util.find_spec("torch")
    if spec is None or spec.origin is None or sys.platform == "win32":
        return
    folder = Path(spec.origin).parent / "lib"
    with contextlib.suppress(OSError, AttributeError):
        load = ctypes.CDLL(None).dlopen
        load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
        for name in _LIBRARIES:
            load(os.fsencode(folder / f"{name}{_SUFFIX}"), os.RTLD_NOW)
