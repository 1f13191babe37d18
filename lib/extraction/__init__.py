"""Answer questions from pages: scan quantities, score candidates, choose one or none."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
