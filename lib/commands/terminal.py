"""What commands share: exit codes, types of arguments and one-line messages."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lib.io import PROJECT, expand_home, find_entity
from lib.quantities import ENTITIES

# Exit codes, for schedulers; `lib.commands.run.EXIT_CODES` says what they mean.
FAILED, WRONG_REQUEST, LOCKED, HAS_ERRORS, STOPPED = 1, 2, 3, 4, 130


def complain(message: str, code: int, style: str = "{}") -> int:
    """Print a message as one line on standard error and return the exit code."""
    print(style.format(" ".join(message.split())), file=sys.stderr)
    return code


def print_lines(make: Callable[..., list[str]], *values: object) -> int:
    """Print the lines that a function returns, or its complaint about the request."""
    try:
        print("\n".join(make(*values)))
    except (OSError, ValueError) as error:
        return complain(str(error), WRONG_REQUEST)
    return 0


def add_data_dir(command: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of images, cache and labels."""
    command.add_argument(
        "--data-dir", type=_read_data_dir, default=PROJECT / "data", help="DATA_DIR of runs"
    )


def add_entities(command: argparse.ArgumentParser, description: str) -> None:
    """Add the option that names questions, in any case, with blanks or underscores."""
    command.add_argument(
        "--entity",
        dest="entities",
        action="append",
        default=[],
        type=lambda text: find_entity(text) or text,
        choices=ENTITIES,
        metavar="ENTITY",
        help=f"{description}, any number of times: {', '.join(ENTITIES)}",
    )


def _read_data_dir(text: str) -> Path:
    try:
        folder = expand_home(text)
        with suppress(FileNotFoundError):  # then it holds no cache
            os.scandir(folder).close()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no folder: {error}") from error
    return folder


def read_count(text: str) -> int:
    """Read a number of rows, for argparse.

    Raises:
        argparse.ArgumentTypeError: It is no whole number from 1.
    """
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of rows, 1 or more")
