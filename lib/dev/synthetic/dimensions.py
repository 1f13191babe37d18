"""Fit products into an area and draw the dimension lines of their edges."""

from dataclasses import replace

from lib.dev.synthetic.amounts import Amount
from lib.dev.synthetic.canvas import Canvas, LineLook, Point, text_width
from lib.dev.synthetic.products import Area

GAP = 32  # design units between a product and its dimension line


def fit(width: float, height: float, room: Area) -> Area:
    """Centre a product of a given shape in an area; very long ones are drawn shorter."""
    shape = min(2.6, max(0.36, width / height))
    wide, tall = room[2] - room[0], room[3] - room[1]
    wide, tall = min(wide, tall * shape), min(tall, wide / shape)
    x, y = (room[0] + room[2]) / 2, (room[1] + room[3]) / 2
    return (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)


def measure_width(canvas: Canvas, area: Area, text: str, look: LineLook, above: bool) -> None:
    """Draw the dimension line of a product's width above or below it."""
    y = area[1] - GAP if above else area[3] + GAP
    canvas.measure((area[0], y), (area[2], y), text, look, side=-1 if above else 1)


def measure_height(canvas: Canvas, area: Area, text: str, look: LineLook, left: bool) -> None:
    """Draw the dimension line of a product's height to its left or right."""
    gap = GAP + (text_width(text, look.lettering) / 2 if look.place == "gap" else 0)
    x = area[0] - gap if left else area[2] + gap
    canvas.measure((x, area[1]), (x, area[3]), text, look, side=1 if left else -1)


def measure_depth(canvas: Canvas, start: Point, back: Point, text: str, look: LineLook,
                  side: int = 1) -> None:  # fmt: skip
    """Draw the dimension line of a depth along an edge that recedes by `back` from `start`."""
    look = replace(look, place="beside") if look.place == "gap" else look
    canvas.measure(start, (start[0] + back[0], start[1] + back[1]), text, look, side)


def share_amount(amount: Amount, share: float) -> Amount:
    """Return a share of an amount, in the same unit, rounded for printing."""
    return Amount(amount.value * share, amount.unit).to(
        amount.unit, 0 if amount.unit == "millimetre" else 1
    )
