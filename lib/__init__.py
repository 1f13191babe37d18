"""Read measurements off product images: download, features, OCR, extraction, evaluation.

`read` answers in one call; its libraries are imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
