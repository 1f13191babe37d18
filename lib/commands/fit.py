"""Fit a model of the user's own on corrected truths."""

import argparse
from pathlib import Path

from lib.commands.terminal import add_data_dir, print_lines
from lib.workflow import fit_labels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `fit`."""
    parser.add_argument(
        "labels",
        nargs="*",
        type=Path,
        metavar="LABELS",
        help="CSV files with entity_value, and index or image_link and entity_name; an empty "
        "value says that the image does not state it. They are added to DATA_DIR/labels.csv",
    )
    parser.add_argument(
        "--run",
        dest="runs",
        action="append",
        default=[],
        metavar="RUN_DIR",
        help="a run that has read the images, any number of times; default: the newest finished",
    )
    parser.add_argument("--by", default="", metavar="NAME", help="who labelled; default: the user")
    add_data_dir(parser)


def do(options: argparse.Namespace) -> int:
    """Add labels to the user's file and fit a model on all of them."""
    return print_lines(fit_labels, options.labels, options.runs, options.data_dir, options.by)
