"""What a run is asked to do: parameters from a YAML file and the command line, checked."""

import ast
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import nbformat
import yaml

from lib.paths import PROJECT, from_project

Parameters = dict[str, object]

NOTEBOOKS: Path = PROJECT / "notebooks"
# Parameters that only the pipeline knows; all others come from the notebooks' own cells.
PIPELINE_DEFAULTS: Parameters = {"KEEP_IMAGES": True, "KEEP_RUNS": 0, "CACHE_SIZE": "20G"}
# The pipeline itself counts through the batches.
PIPELINE_SETS: frozenset[str] = frozenset({"BATCH"})


class ParameterError(ValueError):
    """A run was asked for something that cannot be done; the message says what to change."""


def notebook_parameters(notebook: Path, tags: Sequence[str] = ("parameters",)) -> Parameters:
    """Read names and values from a notebook's cells that bear one of the tags.

    Python itself reads the cell: papermill's own inspection skips lines with two `=`.

    Returns:
        In the order of the cells; empty if there is no such cell.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    tagged = [cell.source for cell in cells if set(tags) & set(cell.metadata.get("tags", []))]
    assigned = [node for node in ast.parse("\n".join(tagged)).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assigned}


def known_parameters(notebooks: Path = NOTEBOOKS) -> Parameters:
    """Collect the defaults of all parameters a run may set, from the numbered notebooks."""
    known = dict(PIPELINE_DEFAULTS)
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
        ParameterError: The file cannot be read, or a name, type or value is wrong; all that is
            wrong is listed.
    """
    given = _read_yaml(path) | {name: _parse_value(name, value) for name, value in overrides}
    known = known_parameters(notebooks)
    parameters = known | given
    if isinstance(parameters.get("RUN_DIR"), str):
        parameters["RUN_DIR"] = fill_start(parameters["RUN_DIR"], datetime.now())
    problems = (
        find_unknown(given, known)
        or find_wrong_types(given, known)
        or find_wrong_values(parameters)
    )
    if problems:
        raise ParameterError("\n".join(problems))
    return parameters


def fill_start(run_dir: str, start: datetime) -> str:
    """Put a run's start into the name of its folder, for runs that each need their own.

    >>> fill_start("reports/nightly-{date}", datetime(2026, 1, 2, 3, 4, 5))
    'reports/nightly-2026-01-02'
    >>> fill_start("reports/hourly-{time}", datetime(2026, 1, 2, 3, 4, 5))
    'reports/hourly-2026-01-02-030405'
    """
    date = f"{start:%Y-%m-%d}"
    return run_dir.replace("{date}", date).replace("{time}", f"{date}-{start:%H%M%S}")


def find_unknown(given: Mapping[str, object], known: Mapping[str, object]) -> list[str]:
    """Say of each name that is not known which known one is closest.

    >>> find_unknown({"OCR_ENGINNE": "x"}, {"OCR_ENGINES": [], "SEED": 0})
    ['OCR_ENGINNE is not a parameter; did you mean OCR_ENGINES? Known are OCR_ENGINES, SEED.']
    """
    return [_describe_unknown(str(name), known) for name in given if name not in known]


def _describe_unknown(name: str, known: Mapping[str, object]) -> str:
    if name in PIPELINE_SETS:
        return f"{name} is counted by the pipeline itself; leave it out."
    close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"{name} is not a parameter{hint} Known are {', '.join(sorted(known))}."


def find_wrong_types(given: Mapping[str, object], known: Mapping[str, object]) -> list[str]:
    """Say of each value that has another type than its default what was expected.

    >>> find_wrong_types({"SEED": "one"}, {"SEED": 0})
    ["SEED is 'one' (str); expected int, such as 0."]
    """
    return [
        f"{name} is {value!r} ({type(value).__name__}); "
        f"expected {type(known[name]).__name__}, such as {known[name]!r}."
        for name, value in given.items()
        if not _same_type(value, known[name])
    ]


def _same_type(value: object, default: object) -> bool:
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(default, float):
        return type(value) in (int, float)
    return type(value) is type(default)  # True is no int here


def _is_file_or_empty(value: str) -> bool:
    return not value or from_project(value).is_file()


def _is_folder_or_empty(value: str) -> bool:
    return not value or from_project(value).is_dir()


def _is_filled(value: str) -> bool:
    return bool(value) and not set("{}") & set(value)


def _are_weights(value: str) -> bool:
    return bool(value) and (not value.endswith((".pth", ".pt")) or from_project(value).is_file())


def _are_engines(value: list[str]) -> bool:
    return bool(value) and set(value) <= set(ENGINES) and len(set(value)) == len(value)


SIZES: str = "a number with K, M or G, such as 20G"


def is_size(text: str) -> bool:
    """Tell whether a text is a size as joblib reads it.

    >>> is_size("20G"), is_size("1.5M"), is_size("20 GB"), is_size("-1G")
    (True, True, False, False)
    """
    return bool(re.fullmatch(r"\d+(\.\d+)?[KMG]", text))


def _is_size_or_empty(value: str) -> bool:
    return not value or is_size(value)


def _is_address(value: str) -> bool:
    return not value or bool(re.fullmatch(r"(tcp|tls|ucx|wss?)://[^/\s]+:\d+", value))


ENGINES: tuple[str, ...] = ("rapidocr", "rapidocr_fast", "tesseract", "tesseract_plain")
METHODS: tuple[str, ...] = ("ranker", "rules")
# What each value must be, in words, and how to tell.
RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "TRAIN_CSV": ('a file that exists, or ""', _is_file_or_empty),
    "TEST_CSV": ('a file that exists, or ""', _is_file_or_empty),
    "LOCAL_IMAGES": ('a folder that exists, or ""', _is_folder_or_empty),
    "REFERENCE": ('a folder that exists, or ""', _is_folder_or_empty),
    "RUN_DIR": ("a folder's name; {date} or {time} in it is the start's", _is_filled),
    "KEEP_RUNS": ("0 (all runs) or more", lambda value: value >= 0),
    "DATA_DIR": ("a folder's name", bool),
    "MAX_ROWS": ("0 (all rows) or more", lambda value: value >= 0),
    "BATCH_SIZE": ("1 or more", lambda value: value >= 1),
    "WORKERS": ("0 (one a core) or more", lambda value: value >= 0),
    "CLUSTER": ('the address of a Dask scheduler, such as "tcp://host:8786", or ""', _is_address),
    "CACHE_SIZE": (f'{SIZES}, or "" for no bound', _is_size_or_empty),
    "SEED": ("0 or more", lambda value: value >= 0),
    "CONNECTIONS": ("1 to 500", lambda value: 1 <= value <= 500),
    "OCR_ENGINES": (f"a list of different names out of {', '.join(ENGINES)}", _are_engines),
    "METHOD": (f"one of {', '.join(METHODS)}", lambda value: value in METHODS),
    "WEIGHTS": ("torchvision's name of weights, random, or a .pth file that exists", _are_weights),
    "DEVICE": (
        "auto, cpu or cuda",
        lambda value: value in ("auto", "cpu") or value.partition(":")[0] == "cuda",
    ),
}


def find_wrong_values(parameters: Mapping[str, object]) -> list[str]:
    """Say of each value that cannot be used what was expected; types are taken as right.

    >>> find_wrong_values({"BATCH_SIZE": 0})
    ['BATCH_SIZE is 0; expected 1 or more.']
    """
    checked = {name: RULES[name] for name in parameters if name in RULES}
    problems = [
        f"{name} is {parameters[name]!r}; expected {expected}."
        for name, (expected, is_right) in checked.items()
        if not is_right(parameters[name])
    ]
    return problems + _find_wrong_pairs(parameters)


def _find_wrong_pairs(parameters: Mapping[str, object]) -> list[str]:
    """Say what is wrong with parameters that are each right by themselves."""
    problems = []
    if "TRAIN_CSV" in parameters and not parameters["TRAIN_CSV"] and not parameters["TEST_CSV"]:
        problems.append("TRAIN_CSV and TEST_CSV are both empty; give at least one table.")
    if not parameters.get("KEEP_IMAGES", True) and _shares_images(parameters):
        problems.append(
            "KEEP_IMAGES is False and LOCAL_IMAGES lies in DATA_DIR/images, so your own pictures "
            "would be deleted; move them elsewhere or keep the images."
        )
    return problems


def _shares_images(parameters: Mapping[str, object]) -> bool:
    local = parameters.get("LOCAL_IMAGES")
    store = from_project(str(parameters.get("DATA_DIR", "data"))).resolve() / "images"
    return bool(local) and from_project(str(local)).resolve().is_relative_to(store)


def _read_yaml(path: Path) -> Parameters:
    if not path.is_file():
        raise ParameterError(f"No parameter file at {path}; see notebooks/params/ for examples.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ParameterError(f"{path} holds no names with values, such as `SEED: 0`.")
    return values


def _parse_value(name: str, text: str) -> object:
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError as error:
        raise ParameterError(f"{name} is {text!r}, which is not YAML: {error}") from error
