"""Write a workbook of answers to review, with images, lists to choose from and a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import xlsxwriter
from PIL import Image
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from lib.io import replace_file
from lib.quantities import ENTITIES, list_spellings
from lib.reports.review_rows import NOT_STATED, Heading, ReviewRow

WIDTHS: dict[Heading, int] = {  # in pixels, in this order
    Heading.QUESTION: 105,
    Heading.CROP: 330,
    Heading.WHOLE: 210,
    Heading.ANSWER: 130,
    Heading.CORRECT: 150,
    Heading.CHECK: 110,
    Heading.CONFIDENCE: 85,
    Heading.TEXT: 130,
    Heading.RUNNER_UP: 130,
    Heading.CONFLICT: 150,
    Heading.DECISION: 80,
    Heading.REASON: 220,
    Heading.INDEX: 80,
    Heading.LINK: 220,
    Heading.IMAGE: 80,
}
HEIGHT: int = 190
"""Height of a row in pixels."""
PADDING: int = 3
LONGEST: int = 1000  # letters of a cell; Excel takes no more than 32,767
MAX_ADDRESS: int = 2000  # letters of a link that opens; Excel's limit is 2,079
WRONG: str = "no allowed quantity"
HELP: str = (
    "Choose from the list, or type a number and a unit, such as 12.5 cm. Choose the "
    "answer itself where it is right. Rows that you leave empty are not read."
)
LOW, MIDDLE, HIGH = "#F4B183", "#FFF2CC", "#9DC3E6"
"""Colours of confidence 0, 0.5 and 1."""


@dataclass(frozen=True)
class Styles:
    """Formats of cells."""

    head: xlsxwriter.format.Format
    text: xlsxwriter.format.Format
    bold: xlsxwriter.format.Format
    entry: xlsxwriter.format.Format
    number: xlsxwriter.format.Format
    wrong: xlsxwriter.format.Format
    right: xlsxwriter.format.Format


def write_review_workbook(path: Path, sheets: Mapping[str, Sequence[ReviewRow]]) -> None:
    """Write a sheet for each list of rows, and one of the units that may be typed."""
    with replace_file(path) as temporary:
        plain = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")}
        with xlsxwriter.Workbook(temporary, plain) as book:
            styles = _make_styles(book)
            pages = {name: book.add_worksheet(name) for name in sheets}
            units = _write_units(book.add_worksheet("units"), styles)
            for name, rows in sheets.items():
                choices = book.add_worksheet(f"{name} choices")
                choices.hide()
                for number, row in enumerate(rows, start=1):
                    choices.write_row(number, 0, row.choices)
                _fill_sheet(pages[name], rows, choices.get_name(), units, styles)


def _make_styles(book: Workbook) -> Styles:
    """Make the formats of a workbook."""
    cell = {"valign": "top", "text_wrap": True, "border": 1, "border_color": "#D5DAE0"}
    return Styles(
        head=book.add_format({"bold": True, "bg_color": "#E8ECF0", "bottom": 2}),
        text=book.add_format(cell),
        bold=book.add_format({**cell, "bold": True, "font_size": 12}),
        entry=book.add_format(
            {**cell, "bg_color": "#FFFDE7", "bold": True, "font_size": 12, "num_format": "@"}
        ),
        number=book.add_format({**cell, "num_format": "0.00", "align": "center"}),
        wrong=book.add_format({"bg_color": "#F8C7C2", "font_color": "#A5281B"}),
        right=book.add_format({"bg_color": "#D6ECDD", "font_color": "#00613F"}),
    )


def _write_units(sheet: Worksheet, styles: Styles) -> int:
    """Write which units may be typed for each question; return the last row."""
    sheet.write_row(0, 0, [Heading.QUESTION, "may be typed", "unit"], styles.head)
    rows = [
        (entity.replace("_", " "), spelling, unit)
        for entity in ENTITIES
        for spelling, unit in list_spellings(entity).items()
    ]
    for number, row in enumerate(rows, start=1):
        sheet.write_row(number, 0, row)
    sheet.set_column(0, 2, 30)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), 2)
    return len(rows) + 1


def _fill_sheet(
    sheet: Worksheet, rows: Sequence[ReviewRow], choices: str, units: int, styles: Styles
) -> None:
    """Write the rows of one sheet, a column for each heading that has a value."""
    has_conflict = any(row.conflict for row in rows)
    places = {
        name: place
        for place, name in enumerate(n for n in WIDTHS if n != Heading.CONFLICT or has_conflict)
    }
    for name, place in places.items():
        sheet.set_column_pixels(place, place, WIDTHS[name], None, {"hidden": name == Heading.IMAGE})
        sheet.write_string(0, place, name, styles.head)
    sheet.write_comment(0, places[Heading.CORRECT], HELP, {"x_scale": 2, "font_size": 10})
    for number, row in enumerate(rows, start=1):
        sheet.set_row_pixels(number, HEIGHT)
        _write_texts(sheet, number, row, places, styles)
        _write_entry(sheet, number, row, places, (choices, units), styles)
        _insert_image(
            sheet, number, places[Heading.CROP], row.views.crop, f"Text {row.text!r}", Heading.CROP
        )
        _insert_image(
            sheet,
            number,
            places[Heading.WHOLE],
            row.views.thumbnail,
            "Product image",
            Heading.WHOLE,
        )
    _add_rules(sheet, len(rows), places, styles)


def _write_texts(
    sheet: Worksheet, number: int, row: ReviewRow, places: Mapping[Heading, int], styles: Styles
) -> None:
    """Write the cells that only tell something."""
    texts = {
        Heading.QUESTION: row.question,
        **{
            Heading.CROP: "" if row.text else "(nothing)",
            Heading.WHOLE: "" if row.views.image else "(no image)",
        },
        Heading.ANSWER: row.answer or NOT_STATED,
        **{
            Heading.TEXT: row.text,
            Heading.RUNNER_UP: row.runner_up,
            Heading.CONFLICT: row.conflict,
        },
        **{Heading.DECISION: row.decision, Heading.REASON: row.reason, Heading.INDEX: row.index},
        Heading.IMAGE: row.sha256,
    }
    for name, text in texts.items():
        if name in places:
            style = styles.bold if name in (Heading.QUESTION, Heading.ANSWER) else styles.text
            sheet.write_string(number, places[name], text[:LONGEST], style)
    _write_link(sheet, number, places[Heading.LINK], row, styles)
    if row.confidence is None:
        sheet.write_blank(number, places[Heading.CONFIDENCE], None, styles.number)
    else:
        sheet.write_number(number, places[Heading.CONFIDENCE], row.confidence, styles.number)


def _write_link(sheet: Worksheet, number: int, place: int, row: ReviewRow, styles: Styles) -> None:
    """Write the image's link; one to the web opens it."""
    if row.link.startswith(("http://", "https://")) and len(row.link) <= MAX_ADDRESS:
        sheet.write_url(number, place, row.link, styles.text)
    else:
        sheet.write_string(number, place, row.link[:LONGEST], styles.text)


def _write_entry(
    sheet: Worksheet,
    number: int,
    row: ReviewRow,
    places: Mapping[Heading, int],
    lists: tuple[str, int],
    styles: Styles,
) -> None:
    """Write the cell to fill in, with its list of choices, and its check."""
    choices, units = lists
    first, last = (
        xl_rowcol_to_cell(number, place, row_abs=True, col_abs=True)
        for place in (0, len(row.choices) - 1)
    )
    sheet.write_blank(number, places[Heading.CORRECT], None, styles.entry)
    sheet.data_validation(
        *(number, places[Heading.CORRECT], number, places[Heading.CORRECT]),
        {"validate": "list", "source": f"='{choices}'!{first}:{last}", "show_error": False},
    )
    correct, answer, question = (
        xl_rowcol_to_cell(number, places[name])
        for name in (Heading.CORRECT, Heading.ANSWER, Heading.QUESTION)
    )
    check = make_check(correct, answer, question, units)
    sheet.write_formula(number, places[Heading.CHECK], check, styles.text, "")


def make_check(correct: str, answer: str, question: str, units: int) -> str:
    """Make the formula that judges an entry as `parse_typed` does, in any locale.

    Args:
        correct: The cell of the entry.
        answer: The cell of the answer.
        question: The cell of the question.
        units: Last row of the sheet of units.
    """
    text, unit = f"TRIM({correct})", f"units!$B$2:$B${units}"
    padded = f'REPT(" ",99)&{text}'  # so that it is longer than each unit
    number = rest = f"TRIM(LEFT({padded},99+LEN({text})-LEN({unit})))"  # one for each unit
    for digit in "0123456789":
        rest = f'SUBSTITUTE({rest},"{digit}","")'
    tests = [
        f"(units!$A$2:$A${units}={question})",
        f"(RIGHT({padded},LEN({unit}))={unit})",
        *(f"(LEN({number}){limit})" for limit in (">0", "<=20")),
        *(f'ISNUMBER(FIND({side}({number}),"0123456789"))' for side in ("LEFT", "RIGHT")),
        "(" + "+".join(f'({rest}="{point}")' for point in ("", ".", ",")) + ")",
        f'(LEFT(RIGHT({number},4))<>",")',  # thousands or decimals?
    ]
    is_quantity = f"IFERROR(SUMPRODUCT({'*'.join(tests)})>0,FALSE)"
    return (
        f'=IF({text}="","",IF({text}={answer},"confirmed",IF({text}="{NOT_STATED}","corrected",'
        f'IF({is_quantity},"corrected","{WRONG}"))))'
    )


def _insert_image(
    sheet: Worksheet, row: int, column: int, file: bytes, description: str, name: Heading
) -> None:
    """Insert an image that fits into its cell and moves with it."""
    if not file:
        return
    width, height = Image.open(BytesIO(file)).size
    scale = min((WIDTHS[name] - 2 * PADDING) / width, (HEIGHT - 2 * PADDING) / height)
    options = {
        "image_data": BytesIO(file),
        **{"x_scale": scale, "y_scale": scale, "x_offset": PADDING, "y_offset": PADDING},
        **{"object_position": 1, "description": description},
    }
    sheet.insert_image(row, column, f"{row}-{column}.jpg", options)


def _add_rules(sheet: Worksheet, count: int, places: Mapping[Heading, int], styles: Styles) -> None:
    """Freeze the head, and add filters, colours and the settings of a print."""
    check = f"${xl_rowcol_to_cell(1, places[Heading.CHECK])}"
    for text, style in ((WRONG, styles.wrong), ("confirmed", styles.right)):
        sheet.conditional_format(
            *(1, places[Heading.CORRECT], max(1, count), places[Heading.CHECK]),
            {"type": "formula", "criteria": f'={check}="{text}"', "format": style},
        )
    scale: dict[str, object] = {"type": "3_color_scale"}
    for end, value, colour in (("min", 0, LOW), ("mid", 0.5, MIDDLE), ("max", 1, HIGH)):
        scale |= {f"{end}_type": "num", f"{end}_value": value, f"{end}_color": colour}
    sheet.conditional_format(
        1, places[Heading.CONFIDENCE], max(1, count), places[Heading.CONFIDENCE], scale
    )
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, count), len(places) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A2:{xl_rowcol_to_cell(count, len(places))}"})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
