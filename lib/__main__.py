"""The command line: `python -m lib run PARAMS.yaml`."""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lib.parameters import ParameterError, Parameters, read_parameters
from lib.pipeline import RunLocked, run_pipeline
from lib.record import read_json
from lib.report import read_headline
from lib.stage import StageError

# Exit codes, for schedulers; 0 only when all of it worked.
FAILED, WRONG_REQUEST, LOCKED, STOPPED = 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("lib").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_dir = run_pipeline(_read_request(options))
    except ParameterError as error:
        return _complain(str(error), WRONG_REQUEST)
    except RunLocked as error:
        return _complain(str(error), LOCKED)
    except StageError as error:
        return _complain(str(error), FAILED)
    except KeyboardInterrupt:
        return _complain("Stopped. The same command goes on where this run was.", STOPPED)
    print("\n".join(describe_results(run_dir)))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run all notebooks and write the report")
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
    run.add_argument("--run-name", help="results go to reports/RUN_NAME")
    return parser.parse_args(arguments)


def _read_request(options: argparse.Namespace) -> Parameters:
    parameters = read_parameters(options.params, options.overrides)
    if options.run_name:
        parameters["RUN_DIR"] = f"reports/{options.run_name}"
    return parameters


def _complain(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def describe_results(run_dir: Path) -> list[str]:
    """Say where the results are, and how good they are where the truth is known."""
    lines = [f"Predictions: {run_dir / 'predictions.csv'}", f"Report: {run_dir / 'index.html'}"]
    headline = read_headline(read_json(run_dir / "metrics.json"))
    return [*lines, f"F1: {headline['f1']:.3f}" if headline else "F1: not known, no truth given"]


if __name__ == "__main__":
    sys.exit(main())
