"""Read the text of images into pages of words, with PP-OCR or Tesseract.

Modules are imported on first use, because their libraries take seconds to load.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
