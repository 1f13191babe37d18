"""Read what photos state: widths, weights, volts and volumes, with their confidence."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from lib.commands.terminal import FAILED, WRONG_REQUEST, add_data_dir, add_entities, complain
from lib.extraction import METHODS
from lib.quantities import ENTITIES

QUESTION_WIDTH: int = 16  # letters; then 80 suffice for all columns
EPILOG: str = """examples:
  python -m lib read cup.jpg
  python -m lib read photos/ --entity width --entity height --csv > sizes.csv
  curl -s https://example.org/cup.jpg | python -m lib read - --json
  python -m lib read cup.jpg --save annotated.png
  python -m lib read --text "Net Wt 12 oz (340 g)"

exit codes: 0 if an image was read, 1 if none was, 2 for a wrong request
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `read`."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "photos", nargs="*", metavar="PHOTO", help="file, folder or link; - is standard input"
    )
    add_entities(parser, "what to ask, by default all")
    parser.add_argument(
        "--method", choices=METHODS, default="rules", help="who chooses: %(choices)s"
    )
    parser.add_argument("--model", default="", metavar="FILE", help="a fitted model")
    add_data_dir(parser)
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    """Add the arguments on texts in place of photos, and on what is given."""
    parser.add_argument("--all", action="store_true", help="list every quantity seen instead")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="save the photo with the words that answered outlined; of several photos, in a folder",
    )
    parser.add_argument("--text", help="answer about a text, without a photo")
    parser.add_argument(
        "--texts", type=Path, metavar="FILE", help="likewise, a CSV with entity_name and text"
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print JSON")
    forms.add_argument("--csv", action="store_true", help="print CSV")


def do(options: argparse.Namespace) -> int:
    """Read photos or texts, and print a table, JSON or CSV."""
    problem = _find_problem(options)
    if problem:
        return complain(problem, WRONG_REQUEST)
    try:
        table, is_read = _read_photos(options) if options.photos else _read_texts(options)
    except (OSError, ValueError) as error:
        return complain(str(error), WRONG_REQUEST)
    if options.json:
        rows = json.loads(table.to_json(orient="records"))  # pandas writes a path's / as \/
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif options.csv:
        table.to_csv(sys.stdout, index=False, lineterminator="\n")
    else:
        _print_tables(table)
    return 0 if is_read else FAILED


def _find_problem(options: argparse.Namespace) -> str:
    """Explain why a request cannot be met, `""` if it can."""
    given = [bool(options.photos), options.text is not None, options.texts is not None]
    if sum(given) != 1:
        return "name photos, or --text, or --texts; --help lists what is known"
    if not options.photos and (options.save or options.all):
        return "--save and --all are for photos"
    if options.save:
        from lib.reading import check_target

        return check_target(options.save, options.photos)
    return ""


def _read_photos(options: argparse.Namespace) -> tuple[pd.DataFrame, bool]:
    """Read photos; return the table to print and whether any could be read.

    Raises:
        OSError: There is no such model, or an annotated photo cannot be written.
        ValueError: The model is damaged.
    """
    from lib.reading import answer_images, ask_all, list_quantities, open_images, save_annotated

    with open_images(options.photos) as found:
        is_read = not all(found.reasons)
        asked = ask_all(found, options.entities or ENTITIES)
        answers = answer_images(found, asked, options.method, options.model, options.data_dir)
        if options.save:
            for path in save_annotated(found, asked, answers, options.save):
                print(f"Saved: {path}", file=sys.stderr)
        return list_quantities(found) if options.all else answers, is_read


def _read_texts(options: argparse.Namespace) -> tuple[pd.DataFrame, bool]:
    """Answer about one text or those of a file; return the table, and that something was read.

    Raises:
        OSError: There is no such file or model.
        ValueError: The file is no table of texts, or the model is damaged.
    """
    from lib.evaluation import read_texts
    from lib.reading import answer_texts

    texts = pd.DataFrame({"text": [options.text]})
    if options.texts:
        texts = read_texts(options.texts)
        if "text" not in texts:
            raise ValueError(
                f"{options.texts} has no column text; found {', '.join(map(str, texts))[:300]}"
            )
    if options.entities:
        texts = texts[["text"]]
    entities = options.entities or ENTITIES
    return answer_texts(texts, entities, options.method, options.model, options.data_dir), True


def _print_tables(table: pd.DataFrame) -> None:
    """Print a table for each image or text; rows without an answer are faint."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for (name, *_), rows in table.groupby([table.columns[0]], sort=False):
        reason = _find_reason(rows)
        console.print(Text(f"{name}: {reason}" if reason else str(name), "bold"), soft_wrap=True)
        if reason:
            continue
        cells = _shorten(rows)
        shown = Table(*cells, box=None)
        shown.columns[0].max_width = QUESTION_WIDTH
        for row in cells.itertuples(index=False):
            shown.add_row(*map(Text, row), style="dim" if row[1] == "none" else "")
        console.print(shown)


def _find_reason(rows: pd.DataFrame) -> str:
    """Find why an image could not be read, `""` if it was."""
    if "quantity" in rows:
        return str(rows["line"].iloc[0]) if rows["quantity"].iloc[0] == "" else ""
    return str(rows["reason"].iloc[0]) if (rows["decision"] == "failed").all() else ""


def _shorten(rows: pd.DataFrame) -> pd.DataFrame:
    """Choose what is printed of the rows of one image, as text."""
    if "quantity" in rows:
        return rows[["quantity", "line", "keywords", "entities"]]
    is_given = rows["prediction"] != ""
    return pd.DataFrame(
        {
            "question": rows["entity_name"].str.replace("_", " "),
            "answer": rows["prediction"].where(is_given, "none"),
            "confidence": rows["confidence"].map("{:.2f}".format),
            "text or reason": rows["text"].where(is_given, rows["reason"]),
        }
    )
