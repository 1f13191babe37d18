"""Define a drawing with its ground truth, and choose the style of a whole image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from lib.dev.synthetic.amounts import Amount, Notation
from lib.dev.synthetic.canvas import Canvas, Color, Lettering, LineLook
from lib.dev.synthetic.fonts import FAMILIES
from lib.dev.synthetic.wording import CAPTIONS, LANGUAGES

T = TypeVar("T")

ACCENTS: tuple[Color, ...] = (
    (200, 45, 40),
    (24, 92, 160),
    (30, 120, 70),
    (225, 120, 20),
    (110, 60, 140),
    (20, 130, 140),
    (60, 60, 66),
    (150, 100, 50),
)
INKS: tuple[Color, ...] = (
    (10, 10, 10),
    (40, 40, 45),
    (90, 90, 95),
    (140, 140, 145),
    (20, 40, 110),
    (170, 30, 30),
)
PAPERS: tuple[Color, ...] = (
    (255, 255, 255),
    (255, 255, 255),
    (255, 255, 255),
    (244, 242, 236),
    (232, 238, 243),
)


@dataclass(frozen=True)
class Drawing:
    """A drawing with its ground truth.

    Attributes:
        canvas: The drawing.
        stated: The amounts that the image states, by entity.
        absent: Entities that may be asked for and that the image does not state.
        rough: Whether the image may be tilted and blurred like a photo.
    """

    canvas: Canvas
    stated: dict[str, Amount] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    rough: bool = False


Draw = Callable[[np.random.Generator], Drawing]


@dataclass(frozen=True)
class Style:
    """The style of a whole image: language, notation, font, colours."""

    language: str
    notation: Notation
    family: str
    ink: Color
    accent: Color
    paper: Color

    def letters(self, size: float, bold: bool = False, color: Color | None = None) -> Lettering:
        """Return this image's lettering at a size in design units."""
        return Lettering(self.family, size, color or self.ink, bold)

    def caption(self, entity: str, rng: np.random.Generator) -> str:
        """Return an entity's caption in this image's language, in full words."""
        words = [word for word in CAPTIONS[entity][self.language] if len(word) > 1]
        return pick(rng, words)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Choose one of the options with equal probability."""
    return options[int(rng.integers(len(options)))]


def between(rng: np.random.Generator, low: float, high: float, step: float = 1) -> float:
    """Choose a random multiple of `step` from low to high, both included."""
    return round(low + step * int(rng.integers(round((high - low) / step) + 1)), 3)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return `True` with a probability of 0-1."""
    return bool(rng.random() < probability)


def pick_style(rng: np.random.Generator, english: float = 0.6) -> Style:
    """Choose a style; `english` is the probability of English."""
    language = "en" if chance(rng, english) else pick(rng, LANGUAGES[1:])
    gap, joint = pick(rng, ("", " ", " ")), pick(rng, ("/", " / ", "(", " (", " | "))
    choice, grouped, halves = int(rng.integers(60)), chance(rng, 0.3), chance(rng, 0.5)
    notation = Notation(language, gap, joint, choice, grouped, halves)
    family = pick(rng, sorted(FAMILIES))
    return Style(language, notation, family, pick(rng, INKS), pick(rng, ACCENTS), pick(rng, PAPERS))


def pick_lines(rng: np.random.Generator, style: Style, size: float) -> LineLook:
    """Choose the style of an image's dimension lines; `size` of the text in design units."""
    color = pick(rng, (style.ink, style.ink, style.accent))
    letters = style.letters(size, bold=chance(rng, 0.3), color=pick(rng, (style.ink, color)))
    return LineLook(
        letters,
        color,
        width=pick(rng, (1.5, 2, 3)),
        ends=pick(rng, ("arrow", "arrow", "bar", "both", "none")),
        place=pick(rng, ("along", "along", "beside", "beside", "gap")),
        down=chance(rng, 0.5),
    )


def pick_length_units(rng: np.random.Generator, style: Style) -> tuple[str, str]:
    """Choose the unit printed first, and a second one (`""` for none)."""
    if style.language != "en":
        return pick(rng, (("centimetre", ""), ("centimetre", ""), ("millimetre", "")))
    return pick(
        rng,
        (
            ("centimetre", ""),
            ("inch", ""),
            ("inch", ""),
            ("millimetre", ""),
            ("centimetre", "inch"),
            ("centimetre", "inch"),
            ("inch", "centimetre"),
        ),
    )


def length(rng: np.random.Generator, low: float, high: float, unit: str) -> Amount:
    """Choose a length between low and high centimetres, in `unit`, rounded for printing."""
    centimetres = Amount(between(rng, low, high, 0.5 if high < 60 else 1), "centimetre")
    return centimetres.to(unit, 0 if unit == "millimetre" else 1)


def write_length(style: Style, amount: Amount, second: str) -> str:
    """Print a length, with its conversion if the image shows a second unit."""
    if not second:
        return style.notation.write(amount)
    return style.notation.both(amount, second)
