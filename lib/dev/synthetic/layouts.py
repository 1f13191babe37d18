"""Lay out the pages written by hand: six kinds, each drawn by one function."""

import textwrap
from collections.abc import Callable, Sequence

import numpy as np

from lib.dev.synthetic import products
from lib.dev.synthetic.backdrops import crop_photo
from lib.dev.synthetic.canvas import Canvas, Color, Lettering, LineLook, text_width
from lib.dev.synthetic.contents import Content, View
from lib.dev.synthetic.products import Area, darker, lighter, split

WHITE: Color = (255, 255, 255)
INK: Color = (24, 24, 26)
FAINT: Color = (168, 170, 174)
BIG = "# "  # begins a line that is large and bold
ROW = 34  # pixels from a view to its first dimension line, and to the next


def write_lines(canvas: Canvas, lines: Sequence[str], area: Area, look: Lettering) -> float:
    """Write lines from the top of an area, wrapped at its width; return the next free y."""
    left, y, right, _ = area
    for line in lines:
        big = line.startswith(BIG)
        letters = look.but(size=1.6 * look.size, bold=True) if big else look
        for part in wrap(line.removeprefix(BIG), letters, right - left):
            canvas.text((left, y + letters.size / 2), part, letters, anchor="l", room=right - left)
            y += 1.5 * letters.size
    return y


def wrap(text: str, look: Lettering, room: float) -> list[str]:
    """Wrap a text at about `room` pixels."""
    return textwrap.wrap(text, max(1, int(room * len(text) / max(1, text_width(text, look)))))


def write_rows(canvas: Canvas, content: Content, area: Area, look: Lettering,
               anchor: str = "l") -> float:  # fmt: skip
    """Write a table with a line below each row; return the next free y.

    Args:
        canvas: The page.
        content: Its rows; the first column takes half of the width.
        area: Left, top and right of the table; the bottom is where the rows end.
        look: Font, size and colour.
        anchor: `"l"` or `"r"`: side on which the further columns are aligned.
    """
    (left, y, right, _), step = area, 1.9 * look.size
    for row in content.rows:
        middle, share = y + step / 2, (right - left) / 2 / max(1, len(row) - 1)
        for at, cell in enumerate(row):
            start = left if at == 0 else (left + right) / 2 + share * (at - 1)
            end = start + (share if at else 0)
            x = end - 8 if at and anchor == "r" else start + 8
            if cell:
                canvas.text((x, middle), cell, look, anchor=anchor if at else "l")
        y += step
        canvas.line((left, y), (right, y), FAINT, 1)
    return y


def draw_engineering_drawing(canvas: Canvas, content: Content) -> None:
    """Draw the views inside a frame, notes at the left, a title block at the right."""
    wide, tall = canvas.size
    canvas.box((14, 14, wide - 14, tall - 14), None, outline=content.accent, width=2)
    for view in content.views:
        draw_view(canvas, view, content)
    look = content.letters(17, color=content.accent)
    top = tall - 56 - 1.9 * 15 * len(content.rows)
    canvas.box((wide - 330, top, wide - 14, tall - 14), None, outline=content.accent, width=2)
    canvas.text((wide - 322, top + 18), content.title, look.but(bold=True), anchor="l")
    area = (wide - 330, top + 38, wide - 14, tall)
    write_rows(canvas, content, area, look.but(size=15))
    write_lines(canvas, content.lines, (40, top + 20, wide - 350, tall), look)


def draw_view(canvas: Canvas, view: View, content: Content) -> None:
    """Draw a view with its holes, edges and dimension lines."""
    ink, (left, _, right, _) = content.accent, view.box
    canvas.box(view.box, WHITE, outline=ink, width=3)
    for x1, y1, x2, y2 in view.edges:
        ends = split(view.box, x1, y1, x2, y2)
        canvas.line(ends[:2], ends[2:], ink, 2)
    for x, y, radius in view.holes:
        x, y, radius = *split(view.box, x, y, x, y)[:2], radius * (right - left)
        canvas.ellipse(
            (x - radius, y - radius, x + radius, y + radius), WHITE, outline=ink, width=2
        )
        canvas.line((x - 1.6 * radius, y), (x + 1.6 * radius, y), FAINT, 1)
        canvas.line((x, y - 1.6 * radius), (x, y + 1.6 * radius), FAINT, 1)
    look = LineLook(content.letters(18, color=ink), ink, width=1, place="along")
    for measure in view.measures:
        draw_measure(canvas, view.box, measure, look)


def draw_measure(canvas: Canvas, box: Area, measure: tuple[str, int, float, float, str],
                 look: LineLook) -> None:  # fmt: skip
    """Draw a dimension line beside a view, with the two lines that lead to it."""
    (side, row, start, end, text), (left, top, right, bottom) = measure, box
    reach = ROW * row if side in ("below", "right") else -ROW * row
    if side in ("above", "below"):
        edge = bottom if side == "below" else top
        ends = [(left + share * (right - left), edge + reach) for share in (start, end)]
        feet = [(x, edge) for x, _ in ends]
    else:
        edge = right if side == "right" else left
        ends = [(edge + reach, bottom - share * (bottom - top)) for share in (start, end)]
        feet = [(edge, y) for _, y in ends]
    for foot, tip in zip(feet, ends, strict=True):
        canvas.line(foot, tip, look.color, 1)
    canvas.measure(*ends, text, look, side=-1)


def draw_food_label(canvas: Canvas, content: Content) -> None:
    """Draw the back of a package: ingredients, a small table, the net quantity, a bar code."""
    wide, tall = canvas.size
    canvas.shade((0, 0, wide, tall), lighter(content.accent, 0.15), darker(content.accent), True)
    canvas.box((36, 110, wide - 36, tall - 30), (250, 249, 244), radius=12)
    title = content.letters(40, True, WHITE)
    canvas.text((wide / 2, 60), content.title, title, room=wide - 80)
    look, area = content.letters(19), (60, 136, wide - 60, tall)
    y = write_lines(canvas, content.lines, area, look)
    y = write_rows(canvas, content, (60, y + 6, wide - 60, tall), look)
    write_lines(canvas, content.foot, (60, y + 26, wide - 60, tall), look)
    draw_bar_code(canvas, (wide - 200, tall - 110, wide - 70, tall - 60))


def draw_bar_code(canvas: Canvas, area: Area) -> None:
    """Draw a bar code without its number."""
    left, top, right, bottom = area
    canvas.reserve(area)
    widths = np.random.default_rng(round(left)).integers(1, 4, 60)
    for x, width in zip(left + np.cumsum(widths + 1), widths, strict=True):
        if x < right:
            canvas.line((x, top), (x, bottom), INK, float(width) / 1.5)


def draw_nutrition_table(canvas: Canvas, content: Content) -> None:
    """Draw a framed table of nutrients."""
    wide, tall = canvas.size
    canvas.box((24, 24, wide - 24, tall - 24), WHITE, outline=content.accent, width=3)
    title = content.letters(44, True, content.accent)
    canvas.text((44, 70), content.title, title, anchor="l", room=wide - 88)
    look = content.letters(21)
    y = write_lines(canvas, content.lines, (44, 112, wide - 44, tall), look)
    canvas.box((44, y, wide - 44, y + 8), content.accent)
    y = write_rows(canvas, content, (44, y + 10, wide - 44, tall), look, anchor="r")
    write_lines(canvas, content.foot, (44, y + 22, wide - 44, tall), look.but(size=18))


def draw_nameplate(canvas: Canvas, content: Content) -> None:
    """Draw a plate with four screws, its ratings and the sign of protection class II."""
    wide, tall = canvas.size
    canvas.box((0, 0, wide, tall), (74, 76, 80))
    plate = (18, 18, wide - 18, tall - 18)
    canvas.shade(plate, lighter(content.accent, 0.2), darker(content.accent, 0.12), True)
    for x, y in ((40, 40), (wide - 40, 40), (40, tall - 40), (wide - 40, tall - 40)):
        canvas.ellipse((x - 11, y - 11, x + 11, y + 11), (120, 122, 124), outline=INK)
    title = content.letters(34, True)
    canvas.text((wide / 2, 62), content.title, title, room=wide - 150)
    y = write_rows(canvas, content, (70, 100, wide - 70, tall), content.letters(26))
    write_lines(canvas, content.foot, (78, y + 20, wide - 150, tall), content.letters(20))
    for rim in (0, 9):
        sign = (wide - 120 + rim, tall - 110 + rim, wide - 70 - rim, tall - 60 - rim)
        canvas.box(sign, None, outline=INK, width=3)


def draw_form(canvas: Canvas, content: Content) -> None:
    """Draw a screenshot: a form with fields to fill in, or a shop's table."""
    wide, tall = canvas.size
    canvas.box((0, 0, wide, 64), content.accent)
    canvas.text((28, 32), content.title, content.letters(27, True, WHITE), anchor="l")
    look = content.letters(20)
    y = write_lines(canvas, content.lines, (28, 84, wide - 28, tall), look.but(size=17))
    if len(content.rows[0]) == 2:
        y = write_rows(canvas, content, (28, y + 16, wide - 28, tall), look)
    else:
        y = write_fields(canvas, content, (28, y + 16), look)
    write_lines(canvas, content.foot, (36, y + 24, wide - 28, tall), look)


def write_fields(canvas: Canvas, content: Content, at: tuple[float, float],
                 look: Lettering) -> float:  # fmt: skip
    """Write captions, each with a box for the value and one for the unit; return the next y."""
    left, y = at
    for caption, value, unit in content.rows:
        canvas.text((left + 8, y + 22), caption, look, anchor="l")
        for x, width, text in ((220, 240, value), (472, 90, unit)):
            canvas.box((left + x, y, left + x + width, y + 44), WHITE, radius=5, outline=FAINT)
            if text:
                canvas.text((left + x + 14, y + 22), text, look, anchor="l")
        y += 58
    return y


def draw_advertisement(canvas: Canvas, content: Content) -> None:
    """Draw a product on a photograph, with a headline, badges at its right and small print."""
    wide, tall = canvas.size
    photo = crop_photo(np.random.default_rng(wide), content.photo, canvas.size)
    canvas.paste(photo, (0, 0, wide, tall))
    paint = getattr(products, f"paint_{content.product}")
    paint(canvas, (60, 240, wide * 0.4, tall - 160), content.accent)
    canvas.box((0, 40, wide, 150), darker(content.accent, 0.2))
    canvas.text((wide / 2, 95), content.title, content.letters(54, True, WHITE), room=wide - 60)
    step = (tall - 300) / len(content.lines)
    for row, line in enumerate(content.lines):
        y = 190 + row * step
        canvas.box((wide * 0.46, y, wide - 24, y + step - 16), content.accent, radius=16)
        look = content.letters(34 if line.startswith(BIG) else 24, True, WHITE)
        place = (wide * 0.46 + wide - 24) / 2, y + (step - 16) / 2
        canvas.text(place, line.removeprefix(BIG), look, room=wide * 0.48)
    canvas.box((0, tall - 70, wide, tall), (250, 250, 248))
    canvas.text((wide / 2, tall - 35), content.foot[0], content.letters(22), room=wide - 40)


LAYOUTS: dict[str, Callable[[Canvas, Content], None]] = {
    "drawing": draw_engineering_drawing,
    "food_label": draw_food_label,
    "nutrition": draw_nutrition_table,
    "nameplate": draw_nameplate,
    "form": draw_form,
    "advert": draw_advertisement,
}
# Photographed, so they may be tilted and darkened; the others come from a screen.
ROUGH = frozenset({"food_label", "nutrition", "nameplate"})


def draw_page(content: Content) -> Canvas:
    """Draw a page.

    Raises:
        ValueError: A text hits another, a dimension line or the page's edge.
    """
    canvas = Canvas(*content.size)
    LAYOUTS[content.kind](canvas, content)
    if canvas.clashes:
        raise ValueError(
            f"{content.name}: expected texts that do not collide, found {canvas.clashes} that do; "
            "make the page larger or the texts shorter"
        )
    return canvas
