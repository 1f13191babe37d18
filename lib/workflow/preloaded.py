"""Import what notebooks need, once, in the process that their kernels are forked from."""

import importlib
import os
import sys

MODULES: tuple[str, ...] = (
    *("papermill", "ipykernel.kernelapp", "ipywidgets"),
    *("pandas.io.formats.style", "pyarrow.parquet", "scipy.stats"),
    "matplotlib.pyplot",  # not the backend: it must find the kernel when it is imported
)

# As a kernel sets it, but before matplotlib is imported.
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
parent = os.getppid()
for module in MODULES:
    if os.getppid() != parent:  # the run was killed; nothing else tells this process so soon
        sys.exit()
    importlib.import_module(module)
