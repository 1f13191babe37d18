"""The benchmark's command line: `python -m lib.dev.bench [PART ...]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from lib.dev.bench.figures import tabulate_figures, to_records
from lib.dev.bench.machine import describe_machine
from lib.io import PROJECT, write_json

PARTS: dict[str, str] = {
    name: f"lib.dev.bench.{name}"
    for name in (
        *("extraction", "cache", "features", "pipeline"),
        *("ocr", "worker", "download", "cluster", "overlap", "memory", "gpu"),
    )
}
"""Module of each part; its `measure` takes the options and returns figures and a table."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and store the requested parts; return 1 if a target is missed."""
    options = _parse(arguments)
    machine, figures, tables = describe_machine(), [], {}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)
    for part in options.parts or PARTS:
        found, table = import_module(PARTS[part]).measure(options)
        figures += found
        tables[part] = table.to_dict("records")
        print(f"\n{table.to_string(index=False)}", flush=True)
    print(f"\n{tabulate_figures(figures).to_string(index=False)}\n")
    found = {"machine": machine, "figures": to_records(figures), "tables": tables}
    write_json(found, options.to)
    print(f"Written to {options.to}")
    return int(any(figure.is_met is False for figure in figures))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib.dev.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all when none is named")
    parser.add_argument("--images", type=int, default=120, help="images to read in all")
    parser.add_argument("--rounds", type=int, default=3, help="shares of them; repeats")
    parser.add_argument("--to", type=Path, default=PROJECT / "reports/bench/bench.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
