"""Run one task per item: in processes that may crash, on a Dask cluster, or in this process."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
