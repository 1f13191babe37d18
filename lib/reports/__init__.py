"""Write HTML pages of runs and notebooks, their figures, and the explorer.

Modules are imported when a name of theirs is first used: what they stand on takes seconds to load.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
