"""Run the command line: `python -m lib run PARAMS.yaml` and the other commands."""

import argparse
import gc
import importlib
import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lib.commands.terminal import FAILED, STOPPED, WRONG_REQUEST, complain
from lib.io.manifest import find_manifest
from lib.io.run_dir import RUN_LOG
from lib.parallel import InternalError, try_item

SCRIPT: str = "product-measurements"  # the console script that calls `main`
COMMANDS: dict[str, str] = {
    "read": "read what photos state, in one call",
    "run": "run all notebooks and write the report",
    "status": "say how far a run is",
    "compare": "say what changed from one run to another",
    "fit": "fit a model of your own on corrected truths",
    "review": "write the least sure answers to a workbook, or read it back",
    "suggest": "list the rows whose labels would teach most",
    "cache": "show, prune or clear the cache of slow steps",
}
"""What each command does; `lib.commands` has a module of its name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of the command line and return the exit code."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
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
        return complain("Stopped. The same command goes on where this one was.", STOPPED)
    if isinstance(code, InternalError):
        log = _write_traceback(code, options.run_dir)
        return complain(f"{code.reason}; traceback in {log}", FAILED)
    gc.freeze()  # else the interpreter looks through all that was imported for garbage: 0.2 s
    return code


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with the message, without the long usage."""
        self.exit(complain(f"{self.prog}: {message}; --help lists what is known", WRONG_REQUEST))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; of the commands' modules only that of the named one is imported."""
    is_script = Path(sys.argv[0]).stem == SCRIPT
    parser = Parser(prog=SCRIPT if is_script else "python -m lib", description=__doc__)
    parser.set_defaults(run_dir=None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name in arguments[:1]:
            module = importlib.import_module(f"lib.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(do=module.do)
    return parser.parse_args(arguments)


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


if __name__ == "__main__":
    sys.exit(main())
