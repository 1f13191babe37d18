"""Say what changed from one run to another."""

import argparse

from lib.commands.terminal import WRONG_REQUEST, complain
from lib.evaluation import NotComparableError
from lib.reports import describe_comparison, find_run, name_file, write_comparison
from lib.workflow import open_manifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare`."""
    parser.add_argument("before", metavar="RUN_A", help="a run's folder, or its name in reports/")
    parser.add_argument("after", metavar="RUN_B", help="another; the page goes to its folder")


def do(options: argparse.Namespace) -> int:
    """Compare two runs, write the page and print what changed."""
    try:
        before, after = find_run(options.before), find_run(options.after)
        open_manifest(after)  # adds one to a run of the previous version
        found = write_comparison(before, after)
    except (OSError, NotComparableError) as error:
        return complain(str(error), WRONG_REQUEST)
    print("\n".join(describe_comparison(found)))
    print(f"\nPage: {name_file(before, after, 'html')}")
    print(f"Changed answers: {name_file(before, after, 'csv')}")
    return 0
