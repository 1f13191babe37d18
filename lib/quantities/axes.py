"""Read the words and letters next to a number: the axis it measures and its qualifier."""

import re

# Word or letter on a drawing -> axis; English, German, French, Spanish, Italian, Dutch, Portuguese,
# Japanese and Chinese. German B and T stand for Breite and Tiefe; P for the French, Italian and
# Spanish words for depth. "D" is read as depth, although on round products it may mean diameter.
_AXES: dict[str, str] = {
    "height": "h, ht, height, high, tall, hoch, höhe, hohe, haut, hauteur, alto, altura, altezza, "
    "hoogte, 高, 高さ, 高度",
    "width": "w, b, width, wide, breit, breite, large, largeur, ancho, anchura, larghezza, "
    "breedte, largura, 幅, 宽, 宽度",
    "depth": "d, t, p, depth, deep, tief, tiefe, profond, profondeur, fondo, profundo, "
    "profundidad, profondo, profondità, diepte, 奥行, 深, 深度",
    "length": "l, length, long, lang, länge, lange, longueur, largo, longitud, lungo, lunghezza, "
    "lengte, comprimento, 长, 长度",
    "diameter": "ø, φ, ⌀, ∅, dia, diam, diameter, durchmesser, diamètre, diámetro, diametro, 直径",
    "thickness": "thick, thickness, dick, dicke, stärke, épaisseur, grosor, espesor, spessore, "
    "厚, 厚度",
}

AXIS_WORDS: dict[str, str] = {
    word: axis for axis, words in _AXES.items() for word in words.split(", ")
}

# Words right before a number that mark it as a limit or an approximation.
_QUALIFIERS: dict[str, str] = {
    "max": "max, maximum, maxi, maximal, maximale, máximo, máx, massimo, upto, up to, bis, bis zu, "
    "hasta, jusqu'à, fino a, <, ＜, ≤, ≦",
    "min": "min, minimum, mind, mindestens, at least, >, ＞, ≥, ≧",
    "approx": "approx, approximately, about, around, circa, ca, env, environ, rund, etwa, aprox, "
    "ungefähr, ~, ≈, 约, 約",
}

QUALIFIER_WORDS: dict[str, str] = {
    word: kind for kind, words in _QUALIFIERS.items() for word in words.split(", ")
}

# Characters searched before a number: enough for the longest word, its colon and spaces.
_WINDOW = 24
_AXIS_BEFORE = re.compile(r"([^\W\d_]+|[⌀∅])[\s.:=)\]\-]{0,3}\Z")
_AXIS_AFTER = re.compile(r"(\s?[(\[]?\s?)([^\W\d_]+)[)\]]?")
_OF_NEXT = re.compile(r"\s?[:=]|\s?\d")
# An h apart is no hour before a unit of length: `50x128 h cm`.
_AFTER_H = re.compile(r"\s?(?:[cm]?m|in|inch(?:es)?)(?![^\W\d_])", re.IGNORECASE)
_SIGNS = "".join(word for word in QUALIFIER_WORDS if len(word) == 1)
_WORD = "|".join(sorted(map(re.escape, QUALIFIER_WORDS), key=len, reverse=True))
_QUALIFIER = re.compile(rf"((?<![^\W\d_])(?:{_WORD})|[{_SIGNS}])[\s.:=(]{{0,3}}\Z", re.IGNORECASE)
# These mean something else after a number: `5 t`, `12 B`, `10 large`; in `7.8"T` T means tall.
_ONLY_BEFORE = frozenset({"t", "b", "p", "large", "alto", "largo"})


def read_before(between: str) -> tuple[str | None, str | None, str]:
    """Split axis and qualifier from the end of the text before a number; return the rest too.

    >>> read_before("Size: height max. ")
    ('height', 'max', 'Size: ')
    >>> read_before("approx. W:"), read_before("Vitamin ")
    (('width', 'approx', ''), (None, None, 'Vitamin '))
    """
    if not between or between.isspace():
        return None, None, between
    head, tail = between[:-_WINDOW], between[-_WINDOW:]
    qualifier, tail = _take_qualifier(tail)
    axis, tail = _take_axis(tail)
    if axis and not qualifier:
        qualifier, tail = _take_qualifier(tail)
    return axis, qualifier, head + tail


def read_after(text: str, end: int) -> tuple[str | None, int]:
    """Read an axis after a quantity that ends at `end`, unless it belongs to the next number.

    >>> read_after('10"W x 5"D', 3), read_after("10 cm (H)", 5), read_after("3 cm W: 2 cm", 4)
    (('width', 4), ('height', 9), (None, 4))
    """
    match = _AXIS_AFTER.match(text, end)
    word = match[2] if match else ""
    axis = AXIS_WORDS.get(word.lower())
    if not match or not axis:
        return None, end
    apart, letter = bool(match[1]), len(word) == 1
    if letter and match[0].strip()[0] in "([":
        is_closed = text[match.end() - 1] in ")]"  # `60(W) 40(D)`, not `60 x 40 cm (W x D)`
        return (axis, match.end()) if is_closed else (None, end)
    if word.lower() in _ONLY_BEFORE:
        return None, end
    if (
        letter
        and apart
        and word.islower()
        and not (word == "h" and _AFTER_H.match(text, match.end()))
    ):
        return None, end
    if (apart or not letter) and _OF_NEXT.match(text, match.end()):
        return None, end
    return axis, match.end()


def _take_qualifier(tail: str) -> tuple[str | None, str]:
    """Split a qualifier from the end of a text."""
    match = _QUALIFIER.search(tail)
    if not match:
        return None, tail
    return QUALIFIER_WORDS[match[1].lower()], tail[: match.start()]


def _take_axis(tail: str) -> tuple[str | None, str]:
    """Split an axis name from the end; a lower-case letter must touch its number or a colon."""
    match = _AXIS_BEFORE.search(tail)
    axis = AXIS_WORDS.get(match[1].lower()) if match else None
    if not match or not axis:
        return None, tail
    if len(match[1]) == 1 and match[1].islower() and tail[match.end(1) :].isspace():
        return None, tail
    return axis, tail[: match.start()]


_TIMES = r"\s?[x×✕*/,·-]\s?"
_LETTERS = re.compile(
    rf"(?<![^\W\d_])([LWHDBTP]){_TIMES}([LWHDBTP])(?:{_TIMES}([LWHDBTP]))?(?![^\W\d_])",
    re.IGNORECASE,
)
_NAME = r"([\u3040-\u9fff]{1,3}|[^\W\d_]{2,12})\.?"
_WORDS = re.compile(f"{_NAME}{_TIMES}{_NAME}(?:{_TIMES}{_NAME})?")


def read_head(text: str) -> tuple[str, ...]:
    """Read the axes that a heading such as `LxWxH` names for a series; empty if there is none.

    >>> read_head("Size (L x W x H): 10 x 20 x 30 cm"), read_head("10 x 20")
    (('length', 'width', 'height'), ())
    >>> read_head("Breite x Tiefe: 10 x 20 cm")
    ('width', 'depth')
    """
    for pattern in (_LETTERS, _WORDS):
        for match in pattern.finditer(text):
            axes = [AXIS_WORDS.get(word.lower()) for word in match.groups() if word]
            if all(axes):
                return tuple(axis for axis in axes if axis)
    return ()
