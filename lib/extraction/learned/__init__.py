"""Fit and apply a model that learns from labelled rows which candidate answers a question.

Modules are imported lazily: scikit-learn, which only a fit needs, takes seconds to load.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
