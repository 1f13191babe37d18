"""Define, read and check the parameters of a run."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator
from pydantic_core import ErrorDetails

from lib.io import PROJECT, SHORT, from_project, notebook_parameters
from lib.workflow import parameter_types as types
from lib.workflow.parameter_file import ParameterError, parse_value, read_values

NOTEBOOKS: Path = PROJECT / "notebooks"
# Set by the pipeline for each batch.
PIPELINE_SETS: frozenset[str] = frozenset({"BATCH"})

MOST_PROBLEMS: int = 5  # named in one message
LARGEST_SEED: int = 2**32 - 1  # numpy takes no larger one
MOST_ROWS: int = 10**9  # a number of rows that pandas accepts


class Parameters(BaseModel):
    """The parameters of a run.

    Defaults are in the notebooks' parameter cells; here are only those of the pipeline's own.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    TRAIN_CSV: types.Table
    """Table with answers, "" for none."""
    TEST_CSV: types.Table
    """Table to predict, a folder of images or a list of links, "" for none."""
    COLUMNS: types.Columns = {}
    """Our name of a column and the table's, where they differ."""
    QUESTIONS: types.Questions = []
    """Entities asked about each image of a table without entity_name, [] for all."""
    STRICT_ROWS: bool = False
    """Refuse a table with a row that cannot be asked; else such rows fail."""
    LOCAL_IMAGES: types.Folder
    """Folder searched first for a link's file name, "" for none."""
    RUN_DIR: types.RunFolder
    """Folder of this run's results; {date} or {time} in it is the start's."""
    DATA_DIR: types.DataFolder
    """Folder of images/ and cache/, shared by all runs."""
    MAX_ROWS: Annotated[int, Field(ge=0, le=MOST_ROWS)]
    """Rows taken from the top of each table, 0 for all."""
    BATCH_SIZE: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    """Distinct links in a batch."""
    ALLOW_HOSTS: list[types.Host]
    """Names of hosts that may be on a private network."""
    USER_AGENT: types.Agent
    """Name that hosts are told."""
    RESPECT_ROBOTS_TAG: bool
    """Leave images whose host refuses their use by X-Robots-Tag: noai, noindex and the like."""
    CONNECTIONS: Annotated[int, Field(ge=1, le=500)]
    """Links asked of one host at a time; of all hosts, twice as many."""
    RETRY_FAILED: bool
    """Ask again for links that failed in an earlier run."""
    WEIGHTS: types.WeightsName
    """Weights of ResNet50: torchvision's name, a .pth file, or random."""
    DEVICE: types.Device
    """Device of the networks; auto is CUDA where present."""
    PRECISION: types.Precision = "auto"
    """Arithmetic of the networks; auto is the fastest that the device has, float16 needs CUDA."""
    WORKERS: Annotated[int, Field(ge=0, le=500)]
    """Processes, 0 for one a core."""
    CLUSTER: types.Address
    """Address of a Dask scheduler, "" for this machine."""
    OCR_ENGINES: types.Engines
    """OCR engines; the first one answers, the others compare."""
    METHOD: types.Method
    """How the quantity is chosen."""
    MODEL: types.File
    """File of a fitted model; "" for one fitted on the train rows, or else a stored one."""
    TARGET_PRECISION: Annotated[float, Field(ge=0, lt=1)]
    """Share of right answers to promise, 0 to give every answer."""
    REFERENCE: types.Folder
    """Folder of the run to compare with, "" for none."""
    KEEP_COLUMNS: bool
    """Give the table's own columns back in the answers."""
    ANSWERS_FORMAT: types.TableFormat = "csv"
    """Format of answers and products: csv, xlsx or parquet."""
    OUTPUT_UNITS: types.OutputUnits
    """Units to give answers in too, by kind of measure, such as {length: centimetre}."""
    SEED: Annotated[int, Field(ge=0, le=LARGEST_SEED)]
    """Seed of all that is random."""
    KEEP_IMAGES: bool = True
    """Keep downloaded files once they are read."""
    KEEP_RUNS: NonNegativeInt = 0
    """Runs of a series to keep, 0 for all."""
    CACHE_SIZE: types.Size = "20G"
    """Size of the cache after a run, "" for no bound."""

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        """Check for conflicts between parameters that are each valid alone."""
        if not self.TRAIN_CSV and not self.TEST_CSV:
            raise ValueError("TRAIN_CSV and TEST_CSV are both empty; give at least one table.")
        if self.PRECISION == "float16" and self.DEVICE == "cpu":
            raise ValueError(
                "PRECISION is 'float16' and DEVICE is 'cpu'; float16 needs CUDA: choose auto, "
                "float32 or bfloat16."
            )
        if not self.KEEP_IMAGES and self._shares_images():
            raise ValueError(
                "KEEP_IMAGES is False and LOCAL_IMAGES lies in DATA_DIR/images, so your own images "
                "would be deleted; move them elsewhere or keep the images."
            )
        return self

    def _shares_images(self) -> bool:
        def is_in_store(folder: Path) -> bool:
            return folder.resolve().is_relative_to(from_project(self.DATA_DIR).resolve() / "images")

        return bool(self.LOCAL_IMAGES) and types.is_found(self.LOCAL_IMAGES, is_in_store)


def known_parameters(notebooks: Path = NOTEBOOKS) -> dict[str, object]:
    """Collect the defaults of all parameters a run may set, from model and numbered notebooks."""
    fields = Parameters.model_fields.items()
    known = {name: field.default for name, field in fields if not field.is_required()}
    for notebook in sorted(notebooks.glob("[0-9]*.ipynb")):
        known |= notebook_parameters(notebook)
    return {name: value for name, value in known.items() if name not in PIPELINE_SETS}


def read_parameters(
    path: Path, overrides: Sequence[tuple[str, str]] = (), notebooks: Path = NOTEBOOKS
) -> Parameters:
    """Read a run's parameters: the notebooks' defaults, then the file, then the overrides.

    Args:
        path: YAML file of names and values.
        overrides: Names and values from the command line; each value is read as YAML.
        notebooks: Folder of the numbered notebooks.

    Raises:
        ParameterError: The file cannot be read, or a name, type or value is wrong; the message
            lists all that is wrong, in one line.
    """
    given = read_values(path) | {name: parse_value(name, text) for name, text in overrides}
    values = known_parameters(notebooks) | {str(name): value for name, value in given.items()}
    if isinstance(values.get("RUN_DIR"), str):
        values["RUN_DIR"] = fill_start(str(values["RUN_DIR"]), datetime.now())
    source = f"{path} and the command line" if overrides else str(path)
    report_problems(find_problems(values), source)
    return Parameters.model_validate(values)


def report_problems(problems: Sequence[str], source: str = "") -> None:
    """Raise an error that names the first problems and where they come from, if there are any.

    Raises:
        ParameterError: There are problems.
    """
    more = len(problems) - MOST_PROBLEMS
    if problems:
        first = [f"{source}:"] if source else []
        rest = [f"And {more:,} more."] if more > 0 else []
        raise ParameterError(" ".join([*first, *problems[:MOST_PROBLEMS], *rest]))


def fill_start(run_dir: str, start: datetime) -> str:
    """Fill a run's start into the name of its folder, so that each run has its own.

    >>> fill_start("reports/nightly-{date}", datetime(2026, 1, 2, 3, 4, 5))
    'reports/nightly-2026-01-02'
    >>> fill_start("reports/hourly-{time}", datetime(2026, 1, 2, 3, 4, 5))
    'reports/hourly-2026-01-02-030405'
    """
    date = f"{start:%Y-%m-%d}"
    return run_dir.replace("{date}", date).replace("{time}", f"{date}-{start:%H%M%S}")


def find_problems(values: Mapping[str, object]) -> list[str]:
    """Describe each wrong name, type or value: what was found and what was expected.

    >>> find_problems(known_parameters() | {"BATCH_SIZE": 0})
    ['BATCH_SIZE is 0; expected greater than or equal to 1. Distinct links in a batch.']
    """
    try:
        Parameters.model_validate(values)
    except ValidationError as error:  # one problem a name, however long its list is
        firsts = {str(one["loc"][:1]): one for one in reversed(error.errors())}
        return [_describe(one, values) for one in reversed(firsts.values())]
    return []


def _describe(error: ErrorDetails, values: Mapping[str, object]) -> str:
    """Describe one error of the model; all but those of pairs begin with the parameter."""
    name = str(error["loc"][0]) if error["loc"] else ""
    own = error.get("ctx", {}).get("error")  # of a validator of this module
    if error["type"] == "extra_forbidden":
        return _describe_unknown(name)
    if error["type"] == "missing":
        return f"{name} is missing; no notebook has a default."
    if not name:
        return str(own)
    expected = own or error["msg"].removeprefix("Input should be ")
    help_text = Parameters.model_fields[name].description
    return f"{name} is {SHORT.repr(values[name])}; expected {expected}. {help_text}"


def _describe_unknown(name: str) -> str:
    """Describe an unknown name with the closest known one.

    >>> _describe_unknown("OCR_ENGINNE")[:63]
    'OCR_ENGINNE is not a parameter; did you mean OCR_ENGINES? Known'
    """
    if name in PIPELINE_SETS:
        return f"{name} is counted by the pipeline itself; leave it out."
    known = sorted(Parameters.model_fields)
    close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"{SHORT.repr(name)[1:-1]} is not a parameter{hint} Known are {', '.join(known)}."


def check_run_name(name: str) -> str:
    """Explain why a text is no name of a run, `""` if it is; it may hold `{date}` and `{time}`.

    >>> check_run_name("nightly-{date}"), check_run_name("../x")[:26]
    ('', "--run-name is '../x'; expe")
    """
    is_name = (
        name.strip() not in ("", ".", "..")
        and not name.startswith("~")
        and not set("/\\") & set(name)
        and not types.CONTROL.search(name)
        and types.count_bytes(name) <= types.LONGEST_NAME
    )
    expected = f"a name without separators, of at most {types.LONGEST_NAME} bytes, such as my_run"
    return "" if is_name else f"--run-name is {SHORT.repr(name)}; expected {expected}."
