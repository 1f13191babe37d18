"""The command line: `python -m lib run PARAMS.yaml`, `compare RUN_A RUN_B`, `cache`."""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lib.answers import NotComparableError
from lib.cache import clear_cache, measure_cache, prune_cache
from lib.comparison_page import describe_comparison, name_file, write_comparison
from lib.parameters import SIZES, ParameterError, Parameters, is_size, read_parameters
from lib.paths import PROJECT, from_project
from lib.pipeline import RunLocked, run_pipeline
from lib.runs import find_run, read_run, summarise_run
from lib.stage import StageError

# Exit codes, for schedulers; 0 only when all of it worked.
FAILED, WRONG_REQUEST, LOCKED, STOPPED = 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code."""
    options = _parse(arguments)
    in_log = not sys.stderr.isatty()
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S" if in_log else "%H:%M:%S",
    )
    logging.getLogger("lib").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return options.do(options)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run all notebooks and write the report")
    run.set_defaults(do=_run)
    run.add_argument("params", type=Path, help="YAML file, such as notebooks/params/sample.yaml")
    run.add_argument(
        "-p",
        dest="overrides",
        nargs=2,
        metavar=("NAME", "VALUE"),
        action="append",
        default=[],
        help="set one parameter; the value is read as YAML",
    )
    run.add_argument("--run-name", help="results go to reports/RUN_NAME; {date}, {time}: the start")
    run.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long to wait for another run of the same name; by default leave at once",
    )
    compare = commands.add_parser("compare", help="say what changed from one run to another")
    compare.set_defaults(do=_compare)
    compare.add_argument("before", metavar="RUN_A", help="a run's folder, or its name in reports/")
    compare.add_argument("after", metavar="RUN_B", help="another; the page goes to its folder")
    cache = commands.add_parser("cache", help="show, prune or clear the cache of slow steps")
    cache.set_defaults(do=_tend_cache)
    cache.add_argument("--data-dir", type=Path, default=PROJECT / "data", help="DATA_DIR of runs")
    action = cache.add_mutually_exclusive_group()
    action.add_argument("--prune", type=_read_size, metavar="SIZE", help=f"keep {SIZES}, at most")
    action.add_argument("--clear", action="store_true", help="remove everything")
    return parser.parse_args(arguments)


def _read_size(text: str) -> str:
    if not is_size(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; expected {SIZES}")
    return text


def _tend_cache(options: argparse.Namespace) -> int:
    """Show the cache, after removing from it what was asked for."""
    if options.prune:
        print(f"{prune_cache(options.data_dir, options.prune):,} entries removed.")
    if options.clear:
        clear_cache(options.data_dir)
    print(measure_cache(options.data_dir).round(1).to_string(index=False))
    return 0


def _run(options: argparse.Namespace) -> int:
    """Run the pipeline and say what came of it; the last line on the standard output sums it up."""
    try:
        parameters = _read_request(options)
        run_dir = from_project(str(parameters["RUN_DIR"]))
        run_pipeline(parameters, patience=options.wait)
    except ParameterError as error:
        return _complain(str(error), WRONG_REQUEST)
    except RunLocked as error:
        return _complain(str(error), LOCKED)
    except KeyboardInterrupt:
        return _complain("Stopped. The same command goes on where this folder's run was.", STOPPED)
    except StageError as error:
        _complain(str(error), FAILED)
        print(summarise_run(read_run(run_dir)))
        return FAILED
    print(f"Predictions: {run_dir / 'predictions.csv'}")
    print(f"All runs: {run_dir.parent / 'index.html'}")
    print(summarise_run(read_run(run_dir)))
    return 0


def _read_request(options: argparse.Namespace) -> Parameters:
    overrides = [tuple(pair) for pair in options.overrides]
    if options.run_name:
        overrides.append(("RUN_DIR", json.dumps(f"reports/{options.run_name}")))
    return read_parameters(options.params, overrides)


def _compare(options: argparse.Namespace) -> int:
    try:
        before, after = find_run(options.before), find_run(options.after)
        found = write_comparison(before, after)
    except (OSError, NotComparableError) as error:
        return _complain(str(error), WRONG_REQUEST)
    print("\n".join(describe_comparison(found)))
    print(f"\nPage: {name_file(before, after, 'html')}")
    print(f"Changed answers: {name_file(before, after, 'csv')}")
    return 0


def _complain(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
