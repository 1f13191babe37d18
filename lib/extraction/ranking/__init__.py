"""Fit and apply a ranker of candidates, cross-fitted by image and group.

Modules are imported lazily: scikit-learn takes seconds to load.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
