"""Write HTML pages of runs and notebooks, their figures, and the explorer.

A module is imported when one of its names is first used: matplotlib and others load slowly.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
