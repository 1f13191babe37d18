"""Show, prune or clear the cache of slow steps."""

import argparse

from lib.commands.terminal import add_data_dir
from lib.io.cache import SIZES, clear_cache, is_size, measure_cache, prune_cache


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cache`."""
    add_data_dir(parser)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--prune", type=_read_size, metavar="SIZE", help=f"keep {SIZES}, at most")
    action.add_argument("--clear", action="store_true", help="remove everything")


def _read_size(text: str) -> str:
    if not is_size(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; expected {SIZES}")
    return text


def do(options: argparse.Namespace) -> int:
    """Remove the requested cache entries, then show what the cache holds."""
    if options.prune:
        print(f"{prune_cache(options.data_dir, options.prune):,} entries removed.")
    if options.clear:
        clear_cache(options.data_dir)
    print(measure_cache(options.data_dir).round(1).to_string(index=False))
    return 0
