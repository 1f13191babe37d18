"""Parse quantities out of text: a pure grammar of numbers, units and their terms.

`parse_quantities` gives every quantity that a text mentions, `parse_answer` reads the official
form. Nothing here knows of images, pages or questions.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
