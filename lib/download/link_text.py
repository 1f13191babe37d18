"""List the spellings of the path or the URL that a link may mean."""

import html
import re
import unicodedata
from urllib.parse import unquote

ENTITY: re.Pattern[str] = re.compile(r"&#?\w+;")
# A `#` that begins no fragment: what follows ends as a file name does, what precedes does not.
HASH_IN_NAME: re.Pattern[str] = re.compile(
    r"^([^?#]*/[^/?#.]*)#(?=[^/?#]*\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf])$)", re.IGNORECASE
)


def complete_url(link: str) -> str:
    """Undo HTML's escapes in a URL, add a missing scheme, and encode the `#` of a file name.

    >>> complete_url("//m.example/no #1.jpg"), complete_url("//m.example/1.jpg#top")
    ('https://m.example/no %231.jpg', 'https://m.example/1.jpg#top')
    """
    text = HASH_IN_NAME.sub(r"\1%23", _unescape(link).strip())
    return f"https:{text}" if text.startswith("//") else text


def list_path_spellings(path: str) -> list[str]:
    r"""List what a path may mean: itself first, then without escapes, in either Unicode form.

    >>> list_path_spellings("a/b.jpg"), list_path_spellings(r"a\b%20c.jpg")
    (['a/b.jpg'], ['a\\b%20c.jpg', 'a\\b c.jpg', 'a/b c.jpg'])
    """
    plain = unquote(_unescape(path))
    forms = (path, unquote(path), plain, plain.replace("\\", "/"))
    return list(dict.fromkeys([*forms, *(form for text in forms for form in list_forms(text))]))


def list_forms(text: str) -> list[str]:
    """List a text and its Unicode forms: some systems store `ü` as one letter, others as two.

    >>> len(list_forms("ü.jpg"))
    2
    """
    forms = (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return list(dict.fromkeys([text, *forms]))


def _unescape(text: str) -> str:
    """Undo the escapes of HTML once; `&copy=` in a query is none, as it has no semicolon.

    >>> _unescape("a?x=1&amp;y=2&copy=3&amp;amp;")
    'a?x=1&y=2&copy=3&amp;'
    """
    return ENTITY.sub(lambda found: html.unescape(found[0]), text)
