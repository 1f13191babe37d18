"""Read and write samples, image files and tables, and open the cache and manifest of a run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
