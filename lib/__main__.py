"""Run the command line: `python -m lib run PARAMS.yaml`, `compare`, `fit`, `suggest`, `cache`."""

import argparse
import json
import logging
import math
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from lib.evaluation import NotComparableError
from lib.io import PROJECT, expand_home, from_project, read_record
from lib.io.cache import SIZES, clear_cache, is_size, measure_cache, prune_cache
from lib.io.manifest import find_manifest
from lib.parallel import INTERNAL, InternalError, try_item
from lib.reports import (
    describe_comparison,
    find_run,
    name_file,
    read_run,
    summarise_run,
    write_comparison,
)
from lib.workflow import (
    RUN_LOG,
    ParameterError,
    Parameters,
    RunLocked,
    StageError,
    check_run_name,
    check_surroundings,
    open_manifest,
    read_parameters,
    run_pipeline,
)

# Exit codes, for schedulers; `EXIT_CODES` says what they mean.
FAILED, WRONG_REQUEST, LOCKED, HAS_ERRORS, STOPPED = 1, 2, 3, 4, 130
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of the command line and return the exit code."""
    options = _parse(arguments)
    in_log = not sys.stderr.isatty()
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S" if in_log else "%H:%M:%S",
    )
    logging.getLogger("lib").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code: int | InternalError = try_item(options.do, options)
    except KeyboardInterrupt:
        return _complain("Stopped. The same command goes on where this one was.", STOPPED)
    if isinstance(code, InternalError):
        log = _write_traceback(code, options.run_dir)
        return _complain(f"{code.reason}; traceback in {log}", FAILED)
    return code


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with the message, without the long usage."""
        self.exit(_complain(f"{self.prog}: {message}; --help lists what is known", WRONG_REQUEST))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="python -m lib", description=__doc__)
    parser.set_defaults(run_dir=None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_run, _add_compare, _add_fit, _add_suggest, _add_cache):
        add(commands)
    return parser.parse_args(arguments)


def _add_run(commands: "argparse._SubParsersAction[Parser]") -> None:
    run = commands.add_parser(
        "run",
        help="run all notebooks and write the report",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
        type=_read_wait,
        default=0,
        metavar="SECONDS",
        help="how long to wait for another run of the same name; by default leave at once",
    )
    run.add_argument(
        "--strict",
        action="store_true",
        help=f"end with {HAS_ERRORS} if rows are without an answer for an internal error",
    )


def _add_compare(commands: "argparse._SubParsersAction[Parser]") -> None:
    compare = commands.add_parser("compare", help="say what changed from one run to another")
    compare.set_defaults(do=_compare)
    compare.add_argument("before", metavar="RUN_A", help="a run's folder, or its name in reports/")
    compare.add_argument("after", metavar="RUN_B", help="another; the page goes to its folder")


def _add_fit(commands: "argparse._SubParsersAction[Parser]") -> None:
    fit = commands.add_parser("fit", help="fit a model of your own on corrected truths")
    fit.set_defaults(do=_fit)
    fit.add_argument(
        "labels",
        nargs="*",
        type=Path,
        metavar="LABELS",
        help="CSV files with entity_value, and index or image_link and entity_name; an empty "
        "value says that the image does not state it. They are added to DATA_DIR/labels.csv",
    )
    fit.add_argument(
        "--run",
        dest="runs",
        action="append",
        default=[],
        metavar="RUN_DIR",
        help="a run that has read the images, any number of times; default: the newest finished",
    )
    fit.add_argument("--by", default="", metavar="NAME", help="who labelled; default: the user")
    _add_data_dir(fit)


def _add_suggest(commands: "argparse._SubParsersAction[Parser]") -> None:
    suggest = commands.add_parser("suggest", help="list the rows whose labels would teach most")
    suggest.set_defaults(do=_suggest)
    suggest.add_argument("run", metavar="RUN_DIR", help="a finished run, or its name in reports/")
    suggest.add_argument("-n", type=_read_count, default=50, metavar="ROWS", help="how many rows")
    suggest.add_argument("--csv", type=Path, metavar="FILE", help="write them there, to fill in")
    _add_data_dir(suggest)


def _add_data_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data-dir", type=_read_data_dir, default=PROJECT / "data", help="DATA_DIR of runs"
    )


def _add_cache(commands: "argparse._SubParsersAction[Parser]") -> None:
    cache = commands.add_parser("cache", help="show, prune or clear the cache of slow steps")
    cache.set_defaults(do=_tend_cache)
    _add_data_dir(cache)
    action = cache.add_mutually_exclusive_group()
    action.add_argument("--prune", type=_read_size, metavar="SIZE", help=f"keep {SIZES}, at most")
    action.add_argument("--clear", action="store_true", help="remove everything")


def _read_size(text: str) -> str:
    if not is_size(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; expected {SIZES}")
    return text


def _read_data_dir(text: str) -> Path:
    try:
        folder = expand_home(text)
        with suppress(FileNotFoundError):  # then it holds no cache
            os.scandir(folder).close()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no folder: {error}") from error
    return folder


def _read_wait(text: str) -> float:
    seconds = try_item(float, text)
    if isinstance(seconds, float) and 0 <= seconds < math.inf:  # filelock takes -1 for ever
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")


def _read_count(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of rows, 1 or more")


def _tend_cache(options: argparse.Namespace) -> int:
    """Remove the requested cache entries, then show what the cache holds."""
    if options.prune:
        print(f"{prune_cache(options.data_dir, options.prune):,} entries removed.")
    if options.clear:
        clear_cache(options.data_dir)
    print(measure_cache(options.data_dir).round(1).to_string(index=False))
    return 0


def _run(options: argparse.Namespace) -> int:
    """Run the pipeline and print the result; the last line of standard output sums it up."""
    try:
        parameters = _read_request(options)
        run_dir = options.run_dir = from_project(parameters.RUN_DIR)
        run_pipeline(parameters, timeout=options.wait)
    except ParameterError as error:
        return _complain(str(error), WRONG_REQUEST)
    except RunLocked as error:
        return _complain(str(error), LOCKED)
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
    _complain(
        f"{count:,} internal error{'s' if count > 1 else ''} ({named}): "
        f"their rows are empty; tracebacks in {run_dir / RUN_LOG}",
        HAS_ERRORS,
        RED if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else "{}",
    )
    return True


def _compare(options: argparse.Namespace) -> int:
    try:
        before, after = find_run(options.before), find_run(options.after)
        open_manifest(after)  # adds one to a run of the previous version
        found = write_comparison(before, after)
    except (OSError, NotComparableError) as error:
        return _complain(str(error), WRONG_REQUEST)
    print("\n".join(describe_comparison(found)))
    print(f"\nPage: {name_file(before, after, 'html')}")
    print(f"Changed answers: {name_file(before, after, 'csv')}")
    return 0


def _fit(options: argparse.Namespace) -> int:
    """Add labels to the user's file and fit a model on all of them."""
    from lib.workflow import fit_labels  # Loads scikit-learn, which takes seconds.

    return _print_lines(fit_labels, options.labels, options.runs, options.data_dir, options.by)


def _suggest(options: argparse.Namespace) -> int:
    """List the rows of a run whose labels would teach most."""
    from lib.workflow import suggest_labels  # As above.

    return _print_lines(suggest_labels, options.run, options.data_dir, options.n, options.csv)


def _print_lines(make: Callable[..., list[str]], *values: object) -> int:
    """Print the lines that a function returns, or its complaint about the request."""
    try:
        print("\n".join(make(*values)))
    except (OSError, ValueError) as error:
        return _complain(str(error), WRONG_REQUEST)
    return 0


def _write_traceback(error: InternalError, run_dir: Path | None) -> str:
    """Write a traceback to the run's log if it has one, else to a new file; return its name."""
    log = run_dir / RUN_LOG if run_dir else None
    manifest = find_manifest(log) if log else None
    try:
        if log and manifest and manifest.owns(log):
            with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(error.traceback)
            manifest.add(log)
            return str(log)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="product-measurements-", suffix=".log", delete=False
        ) as new:
            new.write(error.traceback)
            return new.name
    except OSError as failure:
        return f"no file ({failure})"


def _complain(message: str, code: int, style: str = "{}") -> int:
    """Print a message as one line on standard error and return the exit code."""
    print(style.format(" ".join(message.split())), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
