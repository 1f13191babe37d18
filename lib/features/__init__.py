"""Turn images into vectors and line segments, and estimate which show round objects.

Modules are imported on first use, because their libraries take seconds to load.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
