"""Run all notebooks and write the report."""

import argparse
import json
import math
import os
import sys
from pathlib import Path

from lib.commands.terminal import FAILED, HAS_ERRORS, LOCKED, WRONG_REQUEST, complain
from lib.io import from_project, read_record
from lib.io.run_dir import RUN_LOG
from lib.parallel import INTERNAL, try_item
from lib.reports import read_run, summarise_run
from lib.workflow import (
    ParameterError,
    Parameters,
    RunLocked,
    StageError,
    check_run_name,
    check_surroundings,
    read_parameters,
    run_pipeline,
)

EXIT_CODES: str = """exit codes:
  0    the run finished, and every row has an answer or a reason
  1    the run did not finish; the same command goes on where it was
  2    wrong request; nothing was written
  3    another run holds the folder; nothing was written
  4    with --strict: the run finished, but has internal errors
  130  interrupted; the same command goes on where it was
"""
MOST_REASONS: int = 3  # reasons of internal errors named in one line
RED: str = "\033[31m{}\033[0m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `run`."""
    parser.epilog = EXIT_CODES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("params", type=Path, help="YAML file, such as notebooks/params/sample.yaml")
    parser.add_argument(
        "-p",
        dest="overrides",
        nargs=2,
        metavar=("NAME", "VALUE"),
        action="append",
        default=[],
        help="set one parameter; the value is read as YAML",
    )
    parser.add_argument(
        "--run-name", help="results go to reports/RUN_NAME; {date}, {time}: the start"
    )
    parser.add_argument(
        "--wait",
        type=_read_wait,
        default=0,
        metavar="SECONDS",
        help="how long to wait for another run of the same name; by default leave at once",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help=f"end with {HAS_ERRORS} if rows are without an answer for an internal error",
    )


def _read_wait(text: str) -> float:
    seconds = try_item(float, text)
    if isinstance(seconds, float) and 0 <= seconds < math.inf:  # filelock takes -1 for ever
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")


def do(options: argparse.Namespace) -> int:
    """Run the pipeline and print the result; the last line of standard output sums it up."""
    try:
        parameters = _read_request(options)
        run_dir = options.run_dir = from_project(parameters.RUN_DIR)
        run_pipeline(parameters, timeout=options.wait)
    except ParameterError as error:
        return complain(str(error), WRONG_REQUEST)
    except RunLocked as error:
        return complain(str(error), LOCKED)
    except StageError as error:
        print(error, file=sys.stderr)  # includes the failed cell
        print(summarise_run(read_run(run_dir)))
        return FAILED
    has_errors = _tell_internal_errors(run_dir)
    print(f"Predictions: {run_dir / 'predictions.csv'}")
    print(f"All runs: {run_dir.parent / 'index.html'}")
    print(summarise_run(read_run(run_dir)))
    return HAS_ERRORS if has_errors and options.strict else 0


def _read_request(options: argparse.Namespace) -> Parameters:
    """Read and check the parameters of a run.

    Raises:
        ParameterError: The run cannot be done.
    """
    overrides = [tuple(pair) for pair in options.overrides]
    if options.run_name is not None:
        if problem := check_run_name(options.run_name):
            raise ParameterError(problem)
        overrides.append(("RUN_DIR", json.dumps(f"reports/{options.run_name}")))
    parameters = read_parameters(options.params, overrides)
    check_surroundings(parameters)
    return parameters


def _tell_internal_errors(run_dir: Path) -> bool:
    """Print how many rows an internal error left without an answer; return whether any are."""
    errors = read_record(run_dir).get("internal_errors", [])
    if not errors:
        return False
    reasons = list(dict.fromkeys(error["reason"].removeprefix(f"{INTERNAL}: ") for error in errors))
    count = sum(error["count"] for error in errors)
    named = "; ".join(reasons[:MOST_REASONS])
    complain(
        f"{count:,} internal error{'s' if count > 1 else ''} ({named}): "
        f"their rows are empty; tracebacks in {run_dir / RUN_LOG}",
        HAS_ERRORS,
        RED if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else "{}",
    )
    return True
