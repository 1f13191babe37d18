"""Define every hand-set number of the rules: thresholds, plausible ranges and points.

Unless a source is given, a number was chosen on `dev.csv`, 495 hand-labelled questions about images
of the 2024 Amazon ML Challenge. "F1" is the rules' F1 there without the number: points set to 0, a
limit set so that it never decides. In brackets: how many answers change. With all numbers it was
0.934. Numbers marked "statements" or "other" were chosen on two thirds of the questions of
`statements.csv` (F1 0.892) and of catalogue drawings and drink labels (0.930). Those marked
"two thirds" were chosen later on two thirds of all three: `dev.csv` 0.949, `statements.csv` 0.925,
others 0.986. Those marked "edges" were chosen on the 345 labelled lengths of
`lib/tests/extraction/drawing_edges.csv`, of which 308 are told right.
"""

from __future__ import annotations

from lib.quantities import ENTITIES

# ---- choice of an answer (rules)

# Entity -> score below which the rules give no answer.
MIN_SCORE: dict[str, float] = dict.fromkeys(ENTITIES, -1.0) | {  # F1 0.912 (22) without all
    "depth": 1.5,  # F1 0.922 (13) with -1.0
    "item_weight": 0.5,  # two thirds: statements F1 0.911 (4) with -1.0, 0.923 (1) with 1.0
}

# Points, for the choice only, of a weight, load, voltage, wattage or volume on several lines.
REPEATED: float = 0.5  # two thirds: dev F1 0.944 (2)

# Roundness from which a product is taken to be as deep as wide. Answers that are right more often
# than half the F1 raise it (Lipton et al., "Optimal thresholding of classifiers to maximize F1
# measure", 2014): 0.45 at an F1 of 0.9; the estimates are somewhat low.
ROUND: float = 0.35  # F1 0.894 (35), 0.883 (54) with 0

# ---- points of a candidate (scoring)

# Entity -> least and greatest plausible value in metre, gram, volt, watt or litre: about the 0.5 %
# and 98 % quantiles of the challenge's train labels, which contain errors themselves.
PLAUSIBLE: dict[str, tuple[float, float]] = {
    "width": (0.003, 5.0),  # F1 0.933 (1)
    "height": (0.003, 3.0),  # F1 0.933 (2)
    "depth": (0.0003, 4.0),  # F1 0.934 (0)
    "item_weight": (0.000_001, 500_000.0),  # F1 0.934 (0)
    "maximum_weight_recommendation": (50.0, 50_000_000.0),  # F1 0.934 (0)
    "voltage": (0.5, 4_000.0),  # F1 0.934 (1)
    "wattage": (0.05, 21_000.0),  # F1 0.934 (0)
    "item_volume": (0.0005, 1_000.0),  # F1 0.934 (0)
}

# Position of a keyword relative to the quantity -> points if it names the entity, subtracted if it
# names another quantity in the same kind of unit.
KEYWORD_POINTS: dict[str, float] = {
    "line": 3.0,  # F1 0.923 (9)
    "earlier": 3.0,  # F1 0.934 (0); another quantity is between, as in `Net 2 lb, 1 kg`
    "after": 2.0,  # F1 0.934 (0)
    "beside": 2.0,  # F1 0.933 (2)
    "above": 2.0,  # F1 0.928 (5)
    "below": 0.5,  # F1 0.934 (0)
}
# The same for a keyword that names another quantity. It does not count if it has a quantity of its
# own, on its line or between.
RIVAL_POINTS: dict[str, float] = KEYWORD_POINTS | {
    "earlier": 0.0,
    "below": 2.0,  # two thirds: statements F1 0.922 (2) with 0.5
    "beside, taken": 0.0,
    "above, taken": 0.0,
    "below, taken": 0.0,
}
# Points of a keyword on the line of another print of the same quantity.
ECHO: float = 2.0  # two thirds: other F1 0.973 (1)
# Share of the points that "length" costs a width, height or depth: shops say it of any of them.
LENGTH_SHARE: float = 0.3  # F1 0.934 (0) with 1, 0.934 (0) with 0

# Reason -> points where it applies; for "large print", "large value" and "largest drawn
# this way" times the share of the greatest, for "line segment beside" times its strength.
POINTS: dict[str, float] = {
    "implausible value": -12.0,  # F1 0.933 (3)
    "large print": 1.0,  # F1 0.924 (16)
    "repaired OCR error": -0.5,  # F1 0.931 (2)
    "conversion": -0.2,  # F1 0.934 (0)
    "end of a range": -0.2,  # F1 0.934 (2)
    "dose in the list": -0.5,  # F1 0.933 (1)
    "estimated sign": 4.0,  # statements: F1 0.890 (1)
    "large value": 1.0,  # F1 0.928 (4)
    "line segment beside": 6.0,  # F1 0.808 (87)
    "thickness": 4.0,  # F1 0.934 (0)
    "third measure": 0.8,  # F1 0.931 (4); subtracted if there are one or two
    "not the largest": 0.5,  # F1 0.933 (1)
    "not drawn aslant": -3.0,  # F1 0.933 (3)
    "largest drawn this way": 2.0,  # F1 0.926 (8)
}
OWN_AXIS: float = 4.0  # marked with the entity's letter or word; F1 0.934 (1)
OTHER_AXIS: float = -4.0  # marked with another's; F1 0.934 (0)
OWN_POSITION: float = 1.5  # at the entity's position in a series; F1 0.934 (0)
OTHER_POSITION: float = -1.0  # at another's; F1 0.934 (0)

# Entity -> points of a text that reads upwards or downwards.
ROTATED: dict[str, float] = {
    "width": -1.5,  # F1 0.933 (1)
    "height": 1.5,  # F1 0.934 (0)
    "depth": -1.5,  # F1 0.938 (2)
}
# Angles between which a text reads upwards or downwards, in degrees.
ROTATED_ANGLES: tuple[float, float] = (60.0, 120.0)  # F1 0.923 (20) with 0 and 180

# Entity -> points of the only length of a page if its line segment is slanted, as of a screen's
# diagonal; such a line segment itself counts for this share.
ONLY_SLANTED: dict[str, float] = {
    "width": 2.0,  # F1 0.934 (0)
    "height": -2.0,  # F1 0.934 (0)
    "depth": -4.0,  # F1 0.934 (0)
}
SLANTED_SHARE: dict[str, float] = {"width": 0.0, "height": 1.0, "depth": 1.0}  # F1 0.934 (0) with 1

LONE: float = 0.5  # Points of the likelier direction of a page's only length.

# Strength below which a line segment tells nothing.
FAINT: float = 0.02  # F1 0.933 (3)

# ---- evidence that a page states the answer (evidence)

# Points of each doubt that neither a keyword nor an axis clears; see `find_doubts`.
DOUBT: float = -16.0  # two thirds: statements F1 0.826 (66), dev 0.943 (3)
# Weights of one unit from which they are a table, and how much larger the net weight is printed.
TABLE: int = 4  # two thirds: dev F1 0.947 (1), statements 0.922 (2)
STANDS_OUT: float = 1.3  # two thirds: statements F1 0.921 (2)
# Lengths from which a page counts as a dimension drawing.
DRAWN_LENGTHS: int = 3  # statements: F1 0.888 (2)
# Other words than keywords that make a sentence, and points of a length in one beside a drawing.
NOTE_WORDS: int = 3  # synthetic pages: 10 wrong with 9, 9 with 1
NOTE: float = -6.0  # synthetic pages: 10 wrong without, 9 with it
# Grams; what is lighter on a drawing is the product's own weight.
LEAST_DRAWN_LOAD: float = 5_000.0  # statements: F1 0.886 (3)
# Grams; 57 % of the loads among the challenge's train labels reach it, and 5 % of the weights.
HEAVY: float = 40_000.0  # F1 0.929 (2)

# ---- which edge of a drawing a length measures (edges)

# Degrees from level of an edge that recedes, at least.
SLANTED: float = 2.5  # edges: 307 with 1.5 or 4
# Degrees from level of such an edge, at most: without and with an upright measure on the page.
STEEP: tuple[float, float] = (45.0, 72.0)  # edges: 304 with (45, 45)
# Degrees from level of an upright measure, at least.
UPRIGHT: float = 80.0  # edges: 307 with 75 or 85
# Degrees between two edges that meet at a corner, at least.
CORNER: float = 8.0  # edges: 307 with 0, 306 with 12
# Degrees by which the two edges may differ in an isometric drawing.
ALIKE: float = 6.0  # edges: 287 with 0, 305 with 4, 303 with 8; other: F1 0.794 with 0
# Largest ratio of depth to width; at most 1.66 on our 33 labelled images that state both.
DEEPEST: float = 2.0  # edges: 305 without
# Entity -> edges along which the greatest length may answer.
OWN_EDGES: dict[str, tuple[str, ...]] = {  # edges: 301 with all
    "width": ("width", "slanted", ""),
    "height": ("height", "slanted", ""),
    "depth": ("depth",),  # edges: 305 without
}
# Points for the edge that is asked for, against the other.
EDGE: float = 3.0  # edges: 306

# ---- which quantities are one measure (candidates, measures)

# Relative difference below which two values are one measure: 15.5 cm, 6.1 in.
SAME: float = 0.03  # F1 0.931 (24)
# Largest distance between two prints of one value, in letter heights.
SAME_DISTANCE: float = 3.0  # F1 0.923 (8), 0.934 (1) with 0
# Likewise between two prints of a rounded pair on two lines.
PAIR_DISTANCE: float = 2.0  # F1 0.934 (1), 0.931 (2) with 0
# Largest ratio between two prints of one measure.
ROUNDING: float = 1.25  # F1 0.933 (1), 0.930 (3) with 1
# Largest distance between the two numbers in characters: `12.5 in (31 cm)`.
LONGEST_PAIR: int = 14  # F1 0.934 (0), 0.933 (1) with 0

# ---- units and keywords in other lines (scan)

# Metres above which OCR has lost a letter: few products are as long.
LONG_METRES: float = 5.0  # F1 0.934 (0), 0.934 (0) with 0
# Characters that may follow a number whose unit is in another line, or stand beside a unit or
# number that has a line of its own.
MAX_AFTER: int = 1  # F1 0.933 (1), 0.934 (0) with 0
MAX_BESIDE: int = 2  # F1 0.931 (2), 0.934 (0) with 0

# ---- line segments beside a text (dimension_lines)

# Largest deviation of a level or upright segment in degrees; others recede.
STRAIGHT: float = 10.0  # F1 0.927 (13)
# A segment is part of a word if it lies inside its box, wider by this many letter heights.
WORD_MARGIN: float = 0.15  # F1 0.934 (0)
# Loss of a segment's log strength per letter height of distance, and for a text that is not at its
# middle: times the squared offset, 0.25 at an end.
DISTANCE_LOSS: float = 1.0  # F1 0.924 (10)
OFFSET_LOSS: float = 8.0  # F1 0.933 (5)
# Largest distance of a text from its line segment, in letter heights.
REACH: float = 3.0  # F1 0.934 (0)

# Largest distance of a text's middle from the line of a segment that ends before it, in letter
# heights: the text is in a gap of its dimension line.
ASIDE: float = 0.5  # edges: 303 with 0, 307 with 0.7
# Degrees by which the angle of a level text may be off.
TEXT_NOISE: float = 6.0  # edges: 306 with 4, 306 with 8
# Degrees from its line at which a segment crosses a turned text.
CROSSING: float = 18.0  # edges: 299 with 91; other: F1 0.930

# ---- lines of words and their neighbours (layout), in letter heights

# F1 is measured with RapidOCR, which reads whole lines; how words are joined matters for Tesseract.

# Largest gap between two words of one line. A space is about 0.3 of the letter height in common
# fonts; columns of a table are more than one letter height apart.
MAX_SPACE: float = 0.65  # F1 0.934 (0), 0.934 (0) with 0
MAX_OVERLAP: float = 0.4  # Largest overlap of two words of one line; F1 0.934 (0)
MAX_SHIFT: float = 0.4  # Largest distance between their middles across the line; F1 0.934 (0)
MAX_SIZE_RATIO: float = 1.8  # Of their letter heights; F1 0.934 (0)
# Degrees by which two words of a line, or a line and its neighbour, may differ.
MAX_ANGLE: float = 12.0  # F1 0.934 (0)

# Words compared at all: those that begin within this distance of a word's end, on both axes.
SEARCH_RADIUS: float = 1.5  # a bound on time; more than MAX_SPACE

# Side -> least and greatest distance of a neighbour.
NEIGHBOUR: dict[str, tuple[float, float]] = {
    "beside": (-0.3, 3.0),  # from end to start; F1 0.934 (0), 0.934 (0) without the side
    "before": (-0.3, 12.0),  # likewise; F1 0.934 (0), 0.931 (3) without the side
    "above": (-0.4, 2.0),  # from bottom to top; F1 0.931 (3), 0.928 (5) without the side
    "below": (0.6, 3.0),  # from top to top; F1 0.933 (1), 0.931 (2) without the side
}

# A table has this many rows or more, each within the reach of others; its columns are flush up to
# the slack. Chosen on 52 synthetic pages, 9 of whose 416 questions are answered wrongly, as the F1
# on photos is the same without tables.
TABLE_ROWS: int = 3  # 35 wrong without tables; 9 with 2 or 4
TABLE_REACH: float = 9.0  # 21 wrong with 2.5
FLUSH: float = 0.5  # 9 wrong with 0.1 or 1
SAME_ROW: float = 0.5  # largest distance between the middles of two cells; 9 wrong with 0.25 or 1

# Gain of a forbidden assignment; every score is higher.
NEVER: float = -99.0
