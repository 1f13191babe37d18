"""List the rows of a run whose labels would teach most."""

import argparse
from pathlib import Path

from lib.commands.terminal import add_data_dir, print_lines, read_count
from lib.workflow import suggest_labels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `suggest`."""
    parser.add_argument("run", metavar="RUN_DIR", help="a finished run, or its name in reports/")
    parser.add_argument("-n", type=read_count, default=50, metavar="ROWS", help="how many rows")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write them there, to fill in")
    add_data_dir(parser)


def do(options: argparse.Namespace) -> int:
    """Print the rows, and write them to a file if one is named."""
    return print_lines(suggest_labels, options.run, options.data_dir, options.n, options.csv)
