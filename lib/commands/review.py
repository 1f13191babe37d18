"""Write the least sure answers to a workbook, or read it back."""

import argparse
from pathlib import Path

from lib.commands.terminal import add_data_dir, add_entities, print_lines, read_count
from lib.workflow import read_review, write_review

DECISIONS: tuple[str, ...] = ("answered", "silent", "review")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `review`."""
    parser.add_argument("run", metavar="RUN_DIR", help="a finished run, or its name in reports/")
    parser.add_argument("-n", type=read_count, default=200, metavar="ROWS", help="how many rows")
    add_entities(parser, "only this question")
    parser.add_argument("--decision", default="", choices=DECISIONS, help="only these answers")
    parser.add_argument(
        "--read",
        type=Path,
        metavar="FILE",
        help="take the corrections of a workbook, or of the page's CSV file, into "
        "DATA_DIR/labels.csv",
    )
    parser.add_argument("--by", default="", metavar="NAME", help="who reviewed; default: the user")
    add_data_dir(parser)


def do(options: argparse.Namespace) -> int:
    """Write the workbook and the page, or read corrections back."""
    if options.read:
        return print_lines(read_review, options.run, options.read, options.data_dir, options.by)
    choice = (options.entities, options.decision, options.n)
    return print_lines(write_review, options.run, options.data_dir, *choice)
