"""Check before a run that its tables, folders, device, scheduler and reference can be used."""

import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from lib.download import check_store
from lib.evaluation import read_reference
from lib.io import (
    MOST_SHEET_ROWS,
    OWN_MODEL,
    SHORT,
    SampleTables,
    TableSettings,
    find_write_problem,
    from_project,
    list_parts,
    read_sample_tables,
)
from lib.io.cache import check_cache
from lib.io.run_dir import check_run_dir
from lib.ocr import default_settings
from lib.parallel import InternalError, try_item
from lib.reports import read_run
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameter_types import is_found, split_address
from lib.workflow.parameters import Parameters, report_problems

ANSWER_TIMEOUT: float = 3.0
"""Seconds; timeout for a scheduler to answer, name look-up included."""


def check_surroundings(parameters: Parameters, by_writing: bool = True) -> None:
    """Check that folders can be written and that device, scheduler and reference run exist.

    The checks leave no files and take a few seconds at most.

    Args:
        parameters: As `read_parameters` returns them.
        by_writing: Whether an empty folder may be made and removed again, which is surest.

    Raises:
        ParameterError: Something cannot be used; the message lists what and why, in one line.
    """
    asked = parameters.model_dump()
    checks = CHECKS if by_writing else CHECKS | LOOKS
    found = {name: check(asked[name]) for name, check in checks.items() if asked[name]}
    if not any(found.values()):
        found["PRECISION"] = check_precision(parameters)
    report_problems(
        [
            f"{why}." if why.startswith(name) else f"{name} is {SHORT.repr(asked[name])}: {why}."
            for name, why in found.items()
            if why
        ]
    )


def read_tables(parameters: Parameters) -> SampleTables:
    """Read the sample tables, so that errors in them are reported before the run starts.

    Raises:
        ParameterError: The tables cannot be used.
    """
    paths = (parameters.TRAIN_CSV, parameters.TEST_CSV)
    train, test = [from_project(path) if path else "" for path in paths]
    settings = TableSettings(
        parameters.MAX_ROWS, parameters.COLUMNS, parameters.QUESTIONS, parameters.STRICT_ROWS
    )
    try:
        tables = read_sample_tables(train, test, settings)
    except (ValueError, FileNotFoundError) as error:
        raise ParameterError(str(error)) from error
    check_sheet(parameters, tables.samples)
    return tables


def check_sheet(parameters: Parameters, samples: pd.DataFrame) -> None:
    """Check that the answers fit on a sheet, if one is asked for.

    Raises:
        ParameterError: They do not.
    """
    counts = samples["split"].value_counts()
    rows = counts.get("test", 0) or len(samples)
    if parameters.ANSWERS_FORMAT == "xlsx" and rows > MOST_SHEET_ROWS:
        raise ParameterError(
            f"ANSWERS_FORMAT is 'xlsx', and an Excel sheet holds {MOST_SHEET_ROWS:,} rows; there "
            f"are {rows:,} answers to give: choose csv or parquet."
        )


def check_folders(run_dir: Path, data_dir: Path) -> None:
    """Check that a run may use its folders, without writing anything.

    Raises:
        ParameterError: A folder holds foreign files.
    """
    problem = check_run_dir(run_dir) or check_store(data_dir) or check_cache(data_dir)
    if problem:
        raise ParameterError(problem)


def check_folder(value: str) -> str:
    """Explain why a folder cannot be written, `""` if it can."""
    try:
        problem = find_write_problem(from_project(value))
    except ValueError as error:
        return str(error)
    return problem and f"a run cannot write there ({problem}); name another folder"


def check_access(value: str) -> str:
    """Explain why a folder cannot be written, going by its permissions, `""` if it can."""
    try:
        place = from_project(value).resolve()
        there = next(path for path in (place, *place.parents) if path.exists())
    except (OSError, ValueError, RuntimeError) as error:
        return str(error)
    may_write = there.is_dir() and os.access(there, os.W_OK)
    return "" if may_write else f"a run cannot write to {there}; name another folder"


def check_data(value: str, check: Callable[[str], str] = check_folder) -> str:
    """Explain why images cannot be kept in a folder or the model in it not used, `""` if so."""
    own = str(Path(value) / OWN_MODEL)
    return check(value) or (check_model(own) if is_found(own, Path.is_file) else "")


def check_model(value: str) -> str:
    """Explain why a file is no model to answer with, `""` if it is one."""
    from lib.extraction import read_model  # Imports SciPy, which takes half a second.

    return _explain(try_item(read_model, from_project(value)))


def check_reference(value: str) -> str:
    """Explain why a folder is no run to compare with, `""` if it is one."""
    problem = _explain(try_item(_read_reference, from_project(value)))
    return problem and f"it is no finished run of this project ({problem})"


def _read_reference(folder: Path) -> None:
    read_run(folder)
    read_reference(folder)
    list_parts(folder / "tables/pages", "03_ocr.ipynb")


def check_device(value: str) -> str:
    """Explain why a device cannot be used, `""` if it can; torch is imported for CUDA only."""
    if not value.startswith("cuda"):
        return ""
    from lib.features import choose_device

    return _explain(try_item(choose_device, value))


def check_precision(parameters: Parameters) -> str:
    """Explain why device or engines do not compute in a precision, `""` if they do.

    The device is usable. Torch and the engines are imported only if a precision is asked for that
    not all have.
    """
    if parameters.PRECISION in ("auto", "float32"):
        return ""
    return _explain(try_item(_choose_precision, parameters.PRECISION, parameters))


def _choose_precision(precision: str, parameters: Parameters) -> None:
    from lib.features import choose_device, choose_precision

    choose_precision(choose_device(parameters.DEVICE), precision)
    device = choose_device(parameters.DEVICE, parameters.CLUSTER)
    for engine in parameters.OCR_ENGINES:
        default_settings(engine, precision, device)


def _explain(outcome: object) -> str:
    """Describe the error of a check, `""` if there was none."""
    if not isinstance(outcome, InternalError):
        return ""
    return outcome.message.removesuffix(".") or outcome.kind


def check_cluster(address: str) -> str:
    """Explain that no scheduler answers at an address, `""` if one does.

    The name is resolved in a daemon thread, since the system's resolver has no timeout.
    """
    found: list[socket.socket | InternalError] = []
    host, port = split_address(address) or ("", 0)
    connect = partial(socket.create_connection, (host, port), ANSWER_TIMEOUT)
    asking = threading.Thread(target=lambda: found.append(try_item(connect)), daemon=True)
    asking.start()
    asking.join(ANSWER_TIMEOUT)
    answer = found[0] if found else InternalError("", f"no answer within {ANSWER_TIMEOUT:g} s", "")
    if isinstance(answer, socket.socket):
        answer.close()
        return ""
    return f"no Dask scheduler answers there ({answer.message}); start one, or leave CLUSTER empty"


CHECKS: dict[str, Callable[[str], str]] = {
    "RUN_DIR": check_folder,
    "DATA_DIR": check_data,
    "MODEL": check_model,
    "REFERENCE": check_reference,
    "CLUSTER": check_cluster,
    "DEVICE": check_device,
}
"""Check of each parameter, which explains why a value cannot be used; slow ones last."""

LOOKS: dict[str, Callable[[str], str]] = {
    "RUN_DIR": check_access,
    "DATA_DIR": partial(check_data, check=check_access),
}
"""Checks that make no folder, in place of those that do."""
