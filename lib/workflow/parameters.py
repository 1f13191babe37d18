"""Read and check the parameters of a run, from a YAML file and the command line."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from lib.extraction import METHODS
from lib.io import PROJECT, SHORT, SIZES, Parameters, from_project, is_size, notebook_parameters
from lib.parallel import InternalError, try_item
from lib.workflow.parameter_file import ParameterError, parse_value, read_values

NOTEBOOKS: Path = PROJECT / "notebooks"
# Parameters of the pipeline alone; all others come from the notebooks' own cells.
PIPELINE_DEFAULTS: Parameters = {"KEEP_IMAGES": True, "KEEP_RUNS": 0, "CACHE_SIZE": "20G"}
# Set by the pipeline for each batch.
PIPELINE_SETS: frozenset[str] = frozenset({"BATCH"})

MOST_PROBLEMS: int = 5  # named in one message
# Bytes; file systems take 255, and a lock's name is longer than its run's.
LONGEST_NAME: int = 200
# Not allowed in a path, name or header: it ends them, is invisible in a log or cannot be encoded.
CONTROL: re.Pattern[str] = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


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
        ParameterError: The file cannot be read, or a name, type or value is wrong; the message
            lists all that is wrong, in one line.
    """
    given = read_values(path) | {name: parse_value(name, text) for name, text in overrides}
    known = known_parameters(notebooks)
    parameters = known | given
    if isinstance(parameters.get("RUN_DIR"), str):
        parameters["RUN_DIR"] = fill_start(parameters["RUN_DIR"], datetime.now())
    problems = (
        find_unknown(given, known)
        or find_wrong_types(given, known)
        or find_wrong_values(parameters)
    )
    report_problems(problems)
    return parameters


def report_problems(problems: Sequence[str]) -> None:
    """Raise an error that names the first problems, if there are any.

    Raises:
        ParameterError: There are problems.
    """
    more = len(problems) - MOST_PROBLEMS
    if problems:
        rest = [f"And {more:,} more."] if more > 0 else []
        raise ParameterError(" ".join([*problems[:MOST_PROBLEMS], *rest]))


def fill_start(run_dir: str, start: datetime) -> str:
    """Fill a run's start into the name of its folder, so that each run has its own.

    >>> fill_start("reports/nightly-{date}", datetime(2026, 1, 2, 3, 4, 5))
    'reports/nightly-2026-01-02'
    >>> fill_start("reports/hourly-{time}", datetime(2026, 1, 2, 3, 4, 5))
    'reports/hourly-2026-01-02-030405'
    """
    date = f"{start:%Y-%m-%d}"
    return run_dir.replace("{date}", date).replace("{time}", f"{date}-{start:%H%M%S}")


def find_unknown(given: Mapping[str, object], known: Mapping[str, object]) -> list[str]:
    """Describe each unknown name with the closest known one.

    >>> find_unknown({"OCR_ENGINNE": "x"}, {"OCR_ENGINES": [], "SEED": 0})
    ['OCR_ENGINNE is not a parameter; did you mean OCR_ENGINES? Known are OCR_ENGINES, SEED.']
    """
    return [_describe_unknown(str(name), known) for name in given if name not in known]


def _describe_unknown(name: str, known: Mapping[str, object]) -> str:
    if name in PIPELINE_SETS:
        return f"{name} is counted by the pipeline itself; leave it out."
    close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]}?" if close else "."
    return (
        f"{SHORT.repr(name)[1:-1]} is not a parameter{hint} Known are {', '.join(sorted(known))}."
    )


def find_wrong_types(given: Mapping[str, object], known: Mapping[str, object]) -> list[str]:
    """Describe each value whose type differs from its default's, with what was expected.

    >>> find_wrong_types({"SEED": "one"}, {"SEED": 0})
    ["SEED is 'one' (str); expected int, such as 0."]
    """
    return [
        f"{name} is {SHORT.repr(value)} ({type(value).__name__}); "
        f"expected {type(known[name]).__name__}, such as {known[name]!r}."
        for name, value in given.items()
        if not _same_type(value, known[name])
    ]


def _same_type(value: object, default: object) -> bool:
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(default, float):
        return type(value) in (int, float)
    return type(value) is type(default)  # True does not count as an int


def _is_file_or_empty(value: str) -> bool:
    return not value or _find(value, Path.is_file)


def _is_folder_or_empty(value: str) -> bool:
    return not value or _find(value, Path.is_dir)


def _find(value: str, is_kind: Callable[[Path], bool]) -> bool:
    """Return whether a path is accessible and of the right kind."""
    try:
        return is_kind(from_project(value))
    except (OSError, ValueError, RuntimeError):  # name too long, unknown user's home, symlink loop
        return False


def _is_folder_name(value: str) -> bool:
    name = Path(value).name
    return bool(value.strip()) and not CONTROL.search(value) and _count_bytes(name) <= LONGEST_NAME


def _is_run_folder(value: str) -> bool:
    return _is_folder_name(value) and not set("{}") & set(value)


def _count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def check_run_name(name: str) -> str:
    """Explain why a text is no name of a run, `""` if it is; it may hold `{date}` and `{time}`.

    >>> check_run_name("nightly-{date}"), check_run_name("../x")[:26]
    ('', "--run-name is '../x'; expe")
    """
    is_name = (
        name.strip() not in ("", ".", "..")
        and not name.startswith("~")
        and not set("/\\") & set(name)
        and not CONTROL.search(name)
        and _count_bytes(name) <= LONGEST_NAME
    )
    expected = f"a name without separators, of at most {LONGEST_NAME} bytes, such as my_run"
    return "" if is_name else f"--run-name is {SHORT.repr(name)}; expected {expected}."


def _are_weights(value: str) -> bool:
    return value in WEIGHTS or (value.endswith((".pth", ".pt")) and _find(value, Path.is_file))


def _are_engines(value: list[str]) -> bool:
    return bool(value) and set(value) <= set(ENGINES) and len(set(value)) == len(value)


def _is_agent(value: str) -> bool:
    is_plain = value.isprintable() and value == value.strip() and len(value) <= LONGEST_AGENT
    return is_plain and all(ord(letter) < 256 for letter in value)


def _are_hosts(value: list[str]) -> bool:
    return all(map(_is_host, value))


def _is_host(name: str) -> bool:
    """Return whether a text is a host as written in links.

    >>> [_is_host(name) for name in ("localhost", "10.0.0.1", "[::1]", "http://x", "a b", "*.x")]
    [True, True, True, False, False, False]
    """
    labels = name.removesuffix(".").split(".")
    if len(name) <= 253 and all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in labels):
        return True
    return not isinstance(try_item(ip_address, name.strip("[]")), InternalError)


def _is_size_or_empty(value: str) -> bool:
    return not value or is_size(value)


def split_address(address: str) -> tuple[str, int] | None:
    """Split a scheduler's address into host and port; `None` if it is not an address.

    >>> split_address("tcp://[::1]:8786"), split_address("tcp://x:99999"), split_address("x:1")
    (('::1', 8786), None, None)
    """
    found = re.fullmatch(r"(?:tcp|tls|ucx|wss?)://(\[[^]\s]+\]|[^/:@\s]+):(\d{1,5})", address)
    if not found or not _is_host(found[1]) or not 0 < int(found[2]) < 1 << 16:
        return None
    return found[1].strip("[]"), int(found[2])


def _is_address(value: str) -> bool:
    return not value or split_address(value) is not None


def _is_device(value: str) -> bool:
    return value in ("auto", "cpu") or bool(re.fullmatch(r"cuda(:\d{1,3})?", value))


ENGINES: tuple[str, ...] = ("rapidocr", "rapidocr_fast", "tesseract", "tesseract_plain")
WEIGHTS: tuple[str, ...] = ("IMAGENET1K_V1", "IMAGENET1K_V2", "random")
LARGEST_SEED: int = 2**32 - 1  # numpy takes no larger one
MOST_ROWS: int = 10**9  # a number of rows that pandas accepts
MOST_WORKERS: int = 500
LONGEST_AGENT: int = 500  # characters; servers refuse long headers
FOLDER: str = f"a folder's name, its last part of at most {LONGEST_NAME} bytes"
# What each value must be, in words, and the check.
RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "TRAIN_CSV": ('a file that exists, or ""', _is_file_or_empty),
    "TEST_CSV": ('a file that exists, or ""', _is_file_or_empty),
    "LOCAL_IMAGES": ('a folder that exists, or ""', _is_folder_or_empty),
    "REFERENCE": ('a folder that exists, or ""', _is_folder_or_empty),
    "RUN_DIR": (f"{FOLDER}; {{date}} or {{time}} in it is the start's", _is_run_folder),
    "KEEP_RUNS": ("0 (all runs) or more", lambda value: value >= 0),
    "DATA_DIR": (FOLDER, _is_folder_name),
    "MAX_ROWS": (f"0 (all rows) to {MOST_ROWS:,}", lambda value: 0 <= value <= MOST_ROWS),
    "BATCH_SIZE": (f"1 to {MOST_ROWS:,}", lambda value: 1 <= value <= MOST_ROWS),
    "WORKERS": (f"0 (one a core) to {MOST_WORKERS}", lambda value: 0 <= value <= MOST_WORKERS),
    "CLUSTER": ('the address of a Dask scheduler, such as "tcp://host:8786", or ""', _is_address),
    "CACHE_SIZE": (f'{SIZES}, or "" for no bound', _is_size_or_empty),
    "SEED": (f"0 to {LARGEST_SEED:,}", lambda value: 0 <= value <= LARGEST_SEED),
    "CONNECTIONS": ("1 to 500", lambda value: 1 <= value <= 500),
    "OCR_ENGINES": (f"a list of different names out of {', '.join(ENGINES)}", _are_engines),
    "METHOD": (f"one of {', '.join(METHODS)}", lambda value: value in METHODS),
    "WEIGHTS": (f"{', '.join(WEIGHTS)}, or a .pth or .pt file that exists", _are_weights),
    "DEVICE": ("auto, cpu, cuda or cuda:NUMBER", _is_device),
    "USER_AGENT": (f"one line of at most {LONGEST_AGENT} Latin-1 letters", _is_agent),
    "ALLOW_HOSTS": ("a list of host names or IP addresses, without scheme and port", _are_hosts),
}


def find_wrong_values(parameters: Mapping[str, object]) -> list[str]:
    """Describe each invalid value with what was expected; types are assumed to be right.

    >>> find_wrong_values({"BATCH_SIZE": 0})
    ['BATCH_SIZE is 0; expected 1 to 1,000,000,000.']
    """
    checked = {name: RULES[name] for name in parameters if name in RULES}
    problems = [
        f"{name} is {SHORT.repr(parameters[name])}; expected {expected}."
        for name, (expected, is_right) in checked.items()
        if not is_right(parameters[name])
    ]
    return problems or _find_wrong_pairs(parameters)


def _find_wrong_pairs(parameters: Mapping[str, object]) -> list[str]:
    """Describe conflicts between parameters that are each valid alone."""
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
    local, data_dir = parameters.get("LOCAL_IMAGES"), parameters.get("DATA_DIR", "data")

    def is_in_store(folder: Path) -> bool:
        return folder.resolve().is_relative_to(from_project(data_dir).resolve() / "images")

    return bool(local) and _find(local, is_in_store)
