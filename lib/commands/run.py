"""Run all notebooks and write the report."""

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext, redirect_stdout
from dataclasses import asdict
from pathlib import Path

from lib.commands.bars import (
    has_terminal,
    list_terminal_handlers,
    log_warnings_only,
    show_bars,
)
from lib.commands.terminal import (
    FAILED,
    HAS_ERRORS,
    LOCKED,
    STOPPED,
    WRONG_REQUEST,
    complain,
)
from lib.io import from_project, read_record
from lib.io.run_dir import RUN_LOG, end_log, log_to
from lib.parallel import INTERNAL, try_item
from lib.reports import count_decisions, describe_end, list_files, read_run, summarise_run
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
# How a run has ended, by exit code; `run.json` has the same words.
STATUS: dict[int, str] = {
    **{0: "finished", FAILED: "failed", WRONG_REQUEST: "refused", LOCKED: "locked"},
    **{HAS_ERRORS: "finished", STOPPED: "interrupted"},
}
# What `--json` takes over from `run.json`.
REPORTED: tuple[str, ...] = (
    *("run", "started", "finished", "seconds", "counts"),
    *("failures", "internal_errors", "notes"),
)
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
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    """Add the arguments on what is said, and with which exit code."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help=f"end with {HAS_ERRORS} if rows are without an answer for an internal error",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would be done again, why and for how long, and write nothing",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="print warnings, errors and the last line only"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="append the log to a file, too")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, and all else on standard error"
    )


def _read_wait(text: str) -> float:
    seconds = try_item(float, text)
    if isinstance(seconds, float) and 0 <= seconds < math.inf:  # filelock takes -1 for ever
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")


def do(options: argparse.Namespace) -> int:
    """Run the pipeline and print the result; the last line of standard output sums it up."""
    if options.dry_run:
        return foresee_run(options)
    with ExitStack() as stack:
        if options.quiet:
            stack.enter_context(log_warnings_only(list_terminal_handlers()))
        try:
            if options.log:
                options.log.open("a").close()  # refused now, not at the first line
                stack.callback(end_log, log_to(options.log))
        except OSError as error:
            return complain(f"--log {options.log}: {error.strerror}", WRONG_REQUEST)
        return _answer(options) if options.json else _say(*_run(options), options)


def foresee_run(options: argparse.Namespace) -> int:
    """Print what a run would do, and write nothing."""
    from lib.workflow import describe_forecast, foresee  # Import aiohttp, which takes a while.

    try:
        found = foresee(_read_request(options))
    except ParameterError as error:
        if options.json:
            print(json.dumps(describe_result(WRONG_REQUEST, str(error), None)))
        return complain(str(error), WRONG_REQUEST)
    print(json.dumps(asdict(found)) if options.json else "\n".join(describe_forecast(found)))
    return 0


def _run(options: argparse.Namespace) -> tuple[int, str]:
    """Run the pipeline; return the exit code, and the error if there is one."""
    try:
        parameters = _read_request(options)
        run_dir = options.run_dir = from_project(parameters.RUN_DIR)
        has_bars = has_terminal() and not options.quiet
        with show_bars() if has_bars else nullcontext(lambda progress: None) as show:
            run_pipeline(parameters, timeout=options.wait, show=show)
    except ParameterError as error:
        return WRONG_REQUEST, str(error)
    except RunLocked as error:
        return LOCKED, str(error)
    except StageError as error:
        return FAILED, str(error)
    has_errors = bool(read_record(run_dir).get("internal_errors"))
    return (HAS_ERRORS if has_errors and options.strict else 0), ""


def _say(code: int, error: str, options: argparse.Namespace) -> int:
    """Print how a run has ended; the last line of standard output sums it up."""
    if code in (WRONG_REQUEST, LOCKED):
        return complain(error, code)
    if error:
        print(error, file=sys.stderr)  # includes the failed cell
    else:
        _tell_internal_errors(options.run_dir)
    if not error and not options.quiet:
        print("\n".join(describe_end(options.run_dir)))
    print(summarise_run(read_run(options.run_dir)))
    return code


def _answer(options: argparse.Namespace) -> int:
    """Run the pipeline and print one JSON object, however it ends; the rest is for stderr."""
    output, code, error = sys.stdout, FAILED, "internal error"
    try:
        with redirect_stdout(sys.stderr):
            code, error = _run(options)
            return _say(code, error, options)
    except KeyboardInterrupt:
        code, error = STOPPED, "stopped"
        raise
    finally:
        print(json.dumps(describe_result(code, error, options.run_dir)), file=output)


def describe_result(code: int, error: str, run_dir: Path | None) -> dict[str, object]:
    """Describe how a run has ended, for a scheduler.

    Args:
        code: The exit code.
        error: What went wrong, `""` for nothing.
        run_dir: Of the run, `None` if its parameters are wrong.
    """
    result = {"exit_code": code, "status": STATUS[code], "error": error or None}
    record: Mapping[str, object] = read_record(run_dir) if run_dir else {}
    if not run_dir or record.get("status") != STATUS[code]:
        return result  # the record there is that of another run
    known = {name: record[name] for name in REPORTED if name in record}
    places = {"run_dir": str(run_dir), "files": list_files(run_dir)}
    return {**result, **known, "decisions": count_decisions(run_dir), **places}


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
    check_surroundings(parameters, by_writing=not options.dry_run)
    return parameters


def _tell_internal_errors(run_dir: Path) -> None:
    """Print how many rows an internal error left without an answer, if any are."""
    errors = read_record(run_dir).get("internal_errors", [])
    if not errors:
        return
    reasons = list(dict.fromkeys(error["reason"].removeprefix(f"{INTERNAL}: ") for error in errors))
    count = sum(error["count"] for error in errors)
    named = "; ".join(reasons[:MOST_REASONS])
    complain(
        f"{count:,} internal error{'s' if count > 1 else ''} ({named}): "
        f"their rows are empty; tracebacks in {run_dir / RUN_LOG}",
        HAS_ERRORS,
        RED if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else "{}",
    )
