"""Read measurements off product images: download, features, OCR, extraction, evaluation.

`read` answers in one call; its libraries are imported when it is first used.
"""

import sys

import lazy_loader

# Importing OpenVINO would tell its makers, and write into the home folder, without asking.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
