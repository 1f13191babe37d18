"""Describe the machine of a benchmark: processor, memory, system and package versions."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
from joblib import cpu_count

from lib.workflow import find_version

PACKAGES: tuple[str, ...] = (
    *("rapidocr", "openvino", "onnxruntime", "tesserocr", "pytesseract", "opencv-python"),
    *("opencv-python-headless", "torch", "scikit-learn", "joblib", "aiohttp"),
    "requests",
)
# Processor features that determine how fast networks run.
FEATURES: tuple[str, ...] = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


def describe_machine() -> dict[str, object]:
    """Describe processor, memory, system and packages as plain values."""
    return {
        "processor": read_processor("model name") or platform.processor(),
        "features": [name for name in FEATURES if name in read_processor("flags").split()],
        "cores": cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := find_version(name))},
    }


def read_processor(field: str) -> str:
    """Read a field of the first processor in `/proc/cpuinfo`, `""` if there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    values = (line.split(":", 1)[1].strip() for line in lines if line.startswith(field))
    return next(values, "")
