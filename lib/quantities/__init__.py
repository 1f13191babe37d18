"""Parse quantities from text: numbers, units, and the words that qualify them.

`parse_quantities` returns every quantity that a text mentions; `parse_answer` reads the official
form. The package works on strings only and depends on no other package.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
