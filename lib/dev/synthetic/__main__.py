"""`python -m lib.dev.synthetic`: draw the sample pictures and write their tables."""

import argparse

from lib.dev.synthetic.dataset import write_sample
from lib.io import from_project


def main() -> None:
    """Read the command line, write the sample and print its number of rows."""
    parser = argparse.ArgumentParser(prog="python -m lib.dev.synthetic", description=__doc__)
    parser.add_argument("--out", default="data/sample", help="folder to write to")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same files")
    options = parser.parse_args()
    out = from_project(options.out)
    counts = write_sample(out, options.seed)
    rows = ", ".join(f"{count} rows in {split}.csv" for split, count in counts.items())
    print(f"{out}: {rows}")


if __name__ == "__main__":
    main()
