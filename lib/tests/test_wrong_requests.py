"""Wrong requests: exit code 2 and one line within seconds, and nothing written anywhere."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import __main__ as program
from lib.commands import run
from lib.io.paths import PROJECT, find_write_problem
from lib.tests.past_runs import write_run
from lib.workflow import preflight
from lib.workflow.parameter_file import ParameterError, read_values
from lib.workflow.parameters import Parameters, find_problems, known_parameters
from lib.workflow.pipeline import run_pipeline
from lib.workflow.runner import StageError

KNOWN = known_parameters()
GOOD = "index,image_link,group_id,entity_name\n1,a.jpg,1,width\n"
PACKED = (".csv", ".csv.gz", ".zip", ".xz", ".zst", ".bz2", ".tar", ".tar.gz")
NOISE = b"\x89PNG\r\n\x1a\n\x00\xff garbage " * 9


class NeverRuns:
    """A runner that must not be asked: the request is wrong."""

    def __init__(self):
        self.environment = {}

    def run(self, stage):
        """Fail, as nothing may be started."""
        raise StageError(f"{stage.name} was started")

    def stop(self):
        """Do nothing, as nothing runs."""


@pytest.fixture(autouse=True)
def never_runs(monkeypatch):
    """No stage of a run starts here, and the signal handler stays the tests' own."""
    monkeypatch.setattr(run, "run_pipeline", partial(run_pipeline, runner=NeverRuns()))
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with one good table and everything that can be mistaken for something else."""
    folder = tmp_path_factory.mktemp("requests")
    (folder / "good.csv").write_text(GOOD)
    for ending in PACKED:
        (folder / f"text{ending}").write_text("not packed at all\n" * 9)
        (folder / f"noise{ending}").write_bytes(NOISE)
        (folder / f"empty{ending}").write_bytes(b"")
    for name in ("folder", "other run", "broken run"):
        (folder / name).mkdir()
    (folder / "other run/run.json").write_text('{"status": "finished", "name": "somebody else"}')
    write_run(folder / "half run", status="failed")
    shutil.copytree(
        write_run(folder / "whole run"),
        folder / "broken run",
        dirs_exist_ok=True,
    )
    (folder / "broken run/tables/scored_predictions.parquet").write_bytes(NOISE)
    os.mkfifo(folder / "fifo")
    (folder / "loop").symlink_to("loop")
    (folder / "nowhere").symlink_to("is not there")
    (folder / "weights.txt").write_text("1 2 3")
    (folder / "data with noise").mkdir()
    (folder / "data with noise/model.npz").write_bytes(NOISE)
    return folder


def list_files(folder):
    """List what lies below a folder: name, size and time of change, nothing opened."""
    paths = [
        Path(where, name)
        for where, folders, files in os.walk(folder)
        for name in (*folders, *files)
    ]
    states = {path: path.lstat() for path in paths}
    return {
        path: (state.st_size, path.is_dir() or state.st_mtime_ns) for path, state in states.items()
    }


def ask(place, changes, *arguments):
    """Run the command line with a file of parameters that are right but for the changes."""
    values = {"TRAIN_CSV": "", "TEST_CSV": f"{place}/good.csv", "LOCAL_IMAGES": str(place)}
    values |= {"RUN_DIR": f"{place}/run", "DATA_DIR": f"{place}/data"} | changes
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder, "params.yaml")
        params.write_text(json.dumps(values))
        return program.main(["run", str(params), *arguments])


def check_refused(place, capsys, said, call):
    """Check that a call ends with code 2, one line that says something, and no other trace."""
    before, reports, started = list_files(place), list_files(PROJECT / "reports"), time.monotonic()
    try:
        code = call()
    except SystemExit as error:  # argparse's own way out
        code = error.code
    lines = capsys.readouterr().err.splitlines()
    assert (code, len(lines)) == (2, 1), lines
    assert said in lines[0] and "Traceback" not in lines[0]
    assert len(lines[0]) < 2000
    assert (list_files(place), list_files(PROJECT / "reports")) == (before, reports)
    assert time.monotonic() - started < 10


# parameter, value ("@" is the test's folder), what the line says, why
VALUES = [
    ("TEST_CSV", "@/folder", "holds no image", "a folder without images is no table"),
    ("TEST_CSV", "@/good.csv#Sheet", "a file that exists", "text has no sheets"),
    ("COLUMNS", {"link": "Image URL"}, "names of columns, for index, image_link", "not ours"),
    ("COLUMNS", {"image_link": " "}, "names of columns", "no name"),
    ("COLUMNS", {"image_link": "URL"}, "lacks 'URL', which COLUMNS names", "not the table's"),
    ("COLUMNS", ["image_link"], "expected a valid dictionary", "names of no columns"),
    ("QUESTIONS", ["colour"], "different names out of width, depth", "an unknown question"),
    ("QUESTIONS", ["width", " Width"], "different names", "one question twice"),
    ("STRICT_ROWS", "yes", "a valid boolean", "a word"),
    ("TEST_CSV", "@/fifo", "a file that exists", "reading it would wait for ever"),
    ("TEST_CSV", "@/loop", "a file that exists", "a link to itself"),
    ("TEST_CSV", f"@/{'a' * 300}", "a file that exists", "no file system takes such a name"),
    ("TEST_CSV", "a\0b", "a file that exists", "no name holds NUL"),
    ("TEST_CSV", "\ud800", "a file that exists", "half a letter"),
    ("TEST_CSV", "~nobody-knows/x.csv", "a file that exists", "nobody's home"),
    ("TEST_CSV", "/proc/self/mem", "cannot be read as a table", "it cannot be read"),
    ("LOCAL_IMAGES", "@/good.csv", "a folder that exists", "a file is no folder"),
    ("LOCAL_IMAGES", f"@/{'a' * 300}", "a folder that exists", "no file system takes it"),
    *[
        (name, value, said, why)
        for name in ("RUN_DIR", "DATA_DIR")
        for value, said, why in (
            ("", "expected a folder", "nothing named"),
            (" ", "expected a folder", "nothing to see"),
            ("@/good.csv", "", "a file is no folder"),
            ("@/good.csv/run", "Not a directory", "a file holds no folder"),
            ("@/fifo", "", "a pipe is no folder"),
            ("@/loop", "symbolic link", "a link to itself"),
            ("@/loop/run", "leads back to itself", "nor below it"),
            ("@/nowhere", "leads nowhere", "where nothing can be made"),
            ("@/a\0b", "expected a folder", "no name holds NUL"),
            ("@/a\nb", "expected a folder", "two lines in every log"),
            ("@/\x1b[31mred", "expected a folder", "terminals obey it"),
            ("@/\ud800", "expected a folder", "half a letter"),
            (f"@/{'a' * 300}", "at most 200 bytes", "no file system takes such a name"),
            (f"@/{'ä' * 130}", "at most 200 bytes", "bytes count, not letters"),
            (f"@/{'a' * 300}/run", "File name too long", "nor inside of a path"),
            (f"@/{'a/' * 1900}run", "", "deeper than paths go"),
            ("/proc/run", "cannot write there", "root may all, but not here"),
            ("/dev/null/run", "cannot write there", "a device is no folder"),
            ("~nobody-knows/run", "no home folder is known", "nobody's home"),
        )
    ],
    ("RUN_DIR", "@/run-{day}", "{date} or {time}", "there is no such start"),
    ("SEED", 2**32, "less than or equal to 4294967295", "numpy takes 32 bits"),
    ("SEED", 10**400, "less than or equal to 4294967295", "beyond any float"),
    ("SEED", -1, "greater than or equal to 0", "numpy takes no sign"),
    ("MAX_ROWS", 10**30, "less than or equal to 1000000000", "pandas overflows"),
    ("BATCH_SIZE", 10**30, "less than or equal to 1000000000", "pandas overflows"),
    ("WORKERS", 10**6, "less than or equal to 500", "no machine has so many cores"),
    ("CACHE_SIZE", f"{'9' * 400}G", "a number with K, M or G", "beyond any float"),
    ("WEIGHTS", "IMAGENET", "IMAGENET1K_V1, IMAGENET1K_V2, random", "no name of torchvision"),
    ("WEIGHTS", "@/weights.txt", ".pth or .pt", "not as weights are named"),
    ("WEIGHTS", "@/none.pth", ".pth or .pt", "not there"),
    ("WEIGHTS", "@/folder.pth", ".pth or .pt", "not there"),
    ("DEVICE", "cuda:x", "cuda:NUMBER", "no number"),
    ("DEVICE", "gpu", "cuda:NUMBER", "not as torch names it"),
    ("PRECISION", "half", "'float32', 'bfloat16' or 'float16'", "not as torch names it"),
    ("REFERENCE", "@/good.csv", "a folder that exists", "a file is no run"),
    ("REFERENCE", "@/folder", "no finished run", "an empty folder"),
    ("REFERENCE", "@/other run", "no finished run", "somebody else's run.json"),
    ("REFERENCE", "@/half run", "no finished run", "it has no answers"),
    ("REFERENCE", "@/whole run", "no finished run", "it has no pages"),
    ("REFERENCE", "@/broken run", "no finished run", "its answers are damaged"),
    ("CLUSTER", "host:8786", "a Dask scheduler", "without a scheme"),
    ("CLUSTER", "tcp://host:99999", "a Dask scheduler", "no such port"),
    ("CLUSTER", "tcp://a b:1", "a Dask scheduler", "no host has a space"),
    ("CLUSTER", "tcp://[::1:1", "a Dask scheduler", "an open bracket"),
    ("CLUSTER", "tcp://127.0.0.1:9", "no Dask scheduler answers", "nobody listens"),
    ("CLUSTER", "tcp://no-such-host.invalid:8786", "no Dask scheduler answers", "unknown"),
    ("USER_AGENT", "me\r\nX-Evil: 1", "one line", "it would be a header of its own"),
    ("USER_AGENT", "me\x07", "one line", "no header rings a bell"),
    ("USER_AGENT", "買い物", "Latin-1", "no header holds it"),
    ("USER_AGENT", " me", "one line", "headers begin with a letter"),
    ("USER_AGENT", "x" * 10_000, "at most 500", "servers refuse it"),
    ("ALLOW_HOSTS", ["http://x.org"], "without scheme", "an address is no host"),
    ("ALLOW_HOSTS", ["x.org:80"], "without scheme and port", "nor is a port"),
    ("ALLOW_HOSTS", ["*.x.org"], "host names", "patterns are not known"),
    ("ALLOW_HOSTS", ["x.org", ""], "host names", "nothing"),
    ("ALLOW_HOSTS", ["x\ny"], "host names", "two lines"),
    ("ALLOW_HOSTS", "x.org", "expected a valid list", "one name, not in a list"),
    ("MODEL", "@/none.npz", "a file that exists", "not there"),
    ("MODEL", "@/folder", "a file that exists", "a folder is no model"),
    ("MODEL", "@/fifo", "a file that exists", "reading it would wait for ever"),
    ("MODEL", "@/good.csv", "no file of this project", "a table is no model"),
    ("MODEL", "@/noise.zip", "no file of this project", "it is damaged"),
    ("MODEL", "@/empty.zip", "no file of this project", "there is nothing in it"),
    ("DATA_DIR", "@/data with noise", "no file of this project", "the user's model is damaged"),
    ("TARGET_PRECISION", 1, "less than 1", "no labels can promise that"),
    ("TARGET_PRECISION", 95, "less than 1", "per cent"),
    ("TARGET_PRECISION", -0.1, "greater than or equal to 0", "less than nothing"),
    ("TARGET_PRECISION", "most", "a valid number", "a word"),
    ("METHOD", {"a": [[[[1]]]]}, "expected 'learned' or 'rules'", "something deep"),
    ("METHOD", "x" * 9999, "expected 'learned' or 'rules'", "something long"),
    ("x" * 999, 1, "is not a parameter", "a long name"),
]


@pytest.mark.parametrize(("name", "value", "said", "why"), VALUES, ids=range(len(VALUES)))
def test_wrong_values(place, capsys, name, value, said, why):
    """A value that cannot be used is named, whatever is wrong with it."""
    value = json.loads(json.dumps(value).replace("@", str(place)))
    check_refused(place, capsys, said, lambda: ask(place, {name: value}))


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("content", ["text", "noise", "empty"])
def test_tables_that_are_none(place, capsys, content, ending):
    """A file that is not what its ending says is read as what it is, which is no table."""
    said = "lacks image_link" if content == "text" else "cannot be read as a table"
    table = f"{place}/{content}{ending}"
    check_refused(place, capsys, said, lambda: ask(place, {"TEST_CSV": table}))


ROWS = "image_link,entity_name\na.jpg,width\nb.jpg,width\n,width\n"


@pytest.mark.parametrize(
    ("rows", "strict", "said"),
    [
        (ROWS, True, "1 of 3 rows cannot be asked, STRICT_ROWS refuses any: line 4: no link."),
        (ROWS + ",width\nc.jpg,colour\n", False, "3 of 5 rows cannot be asked, a column may be"),
    ],
)
def test_bad_rows_refuse_a_table(place, capsys, tmp_path, rows, strict, said):
    """A bad row refuses the table if that is asked for, more than half of them in any case."""
    path = tmp_path / "table.csv"
    path.write_text(rows)
    changes = {"TEST_CSV": str(path), "STRICT_ROWS": strict}
    check_refused(place, capsys, said, lambda: ask(place, changes))


# content of a parameter file, what the line says, why
FILES = [
    (b"a: " + b"[" * 3000 + b"]" * 3000, "RecursionError", "deeper than Python calls"),
    (b"SEED: 1\nSEED: 2\n", "'SEED' is given 2 times", "one of the two would be lost"),
    (b"METHOD: {a: 1, a: 2}\n", "'a' is given 2 times", "inside of a value, too"),
    (b"a: &a [x, x]\nb: &b [*a, *a]\n", "an alias of more than one value", "they multiply"),
    (b"a: &a {x: 1}\nb: {<<: [*a, *a]}\n", "an alias of more than one value", "so do these"),
    (b"SEED: !!python/object/apply:os.system ['true']\n", "ConstructorError", "it would run"),
    (b"SEED: !!int ''\n", "IndexError", "the parser's own error"),
    (b"SEED: !!timestamp x\n", "AttributeError", "likewise"),
    (b"SEED: " + b"9" * 5000, "ValueError", "more digits than Python reads"),
    (b"RUN_DIR: 2026-99-99\n", "ValueError", "no such day"),
    ("RUN_DIR: ä".encode("latin-1"), "UnicodeDecodeError", "not UTF-8"),
    ("SEED: 1".encode("utf-16"), "UnicodeDecodeError", "as some editors save it"),
    (NOISE, "is not YAML", "an image"),
    (b"a: 1\n---\nb: 2\n", "is not YAML", "two documents"),
    (b"? [a, b]\n: 1\n", "is not YAML", "a name that is a list"),
    (b"1: 2\n", "1 is not a parameter", "a name that is a number"),
    (b"just words", "no names with values", "no mapping"),
    (b"x: 1\n" * 20_000, "larger than 65,536 bytes", "no parameter file is so large"),
]


@pytest.mark.parametrize(("content", "said", "why"), FILES, ids=[row[2] for row in FILES])
def test_wrong_files(place, tmp_path, capsys, content, said, why):
    """A parameter file that cannot be read says what it is not."""
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    check_refused(place, capsys, said, lambda: program.main(["run", str(path)]))


@pytest.mark.parametrize("name", ["folder", "fifo", "loop", "nowhere", "none", "a" * 300, "a\0b"])
def test_no_file_of_parameters(place, capsys, name):
    """What is no file is not waited for, and not read."""
    request = ["run", str(place / name)]
    check_refused(place, capsys, "No parameter file", lambda: program.main(request))


def test_endless_file_is_not_read(place, tmp_path, capsys):
    """Of a file of a terabyte no more is read than a parameter file may have."""
    path = tmp_path / "params.yaml"
    path.touch()
    os.truncate(path, 10**12)
    check_refused(place, capsys, "larger than", lambda: program.main(["run", str(path)]))


NAMES = (
    "",
    " ",
    ".",
    "..",
    "../x",
    "a/b",
    "/x",
    "a\\b",
    "~",
    "~x",
    "a\0b",
    "a\nb",
    "\x1b",
    "a" * 201,
)


@pytest.mark.parametrize("name", [*NAMES, "ä" * 101, "\udc80"])
def test_wrong_run_names(place, capsys, name):
    """A run's name is a name and not a path."""
    check_refused(place, capsys, "--run-name", lambda: ask(place, {}, "--run-name", name))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--wait", "-1"],  # filelock would wait for ever
        ["--wait", "nan"],  # likewise
        ["--wait", "soon"],  # no number
        ["--no-such-option"],
        ["-p", "SEED"],  # half a pair
        ["-p", "SEED", "[" * 30],  # values are read as YAML
        ["-p", "SEED", "!!python/name:os.system"],
    ],
)
def test_wrong_arguments(place, capsys, arguments):
    """The command line itself is told in one line what is wrong with it."""
    check_refused(place, capsys, "", lambda: ask(place, {}, *arguments))


@pytest.mark.parametrize("name", ["good.csv", "fifo", "loop", "a\0b", "a" * 300])
@pytest.mark.parametrize("options", [[], ["--clear"]])
def test_no_folder_of_a_cache(place, capsys, name, options):
    """What is no folder has no cache to show or to clear."""
    request = ["cache", "--data-dir", str(place / name), *options]
    check_refused(place, capsys, "is no folder", lambda: program.main(request))


@pytest.mark.parametrize("names", [("none", "fifo"), ("a" * 300, "x"), ("a\0b", "x"), ("~x", "")])
def test_no_runs_to_compare(place, capsys, names):
    """What is no run cannot be compared."""
    request = ["compare", *(str(place / name) for name in names)]
    check_refused(place, capsys, "", lambda: program.main(request))


@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_no_such_device(place, capsys, monkeypatch, device):
    """Where there is no CUDA, nothing is begun that needs it."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check_refused(place, capsys, "no CUDA device", lambda: ask(place, {"DEVICE": device}))


@pytest.mark.parametrize(
    ("device", "said"), [("cpu", "float16 needs CUDA"), ("auto", "on cpu expected auto, float32")]
)
def test_half_precision_needs_cuda(place, capsys, monkeypatch, device, said):
    """float16 is refused where the networks would run on the processor."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    changes = {"PRECISION": "float16", "DEVICE": device}
    check_refused(place, capsys, said, lambda: ask(place, changes))


@pytest.mark.parametrize(
    ("device", "engine", "said"),
    [
        ("cpu", "tesseract", "PRECISION is 'bfloat16'; on cpu expected auto, float32"),  # 02
        ("cuda", "rapidocr", ""),  # runs on the card
        ("cuda", "tesseract", ""),  # has no networks
    ],
)
def test_bfloat16_needs_a_device_that_has_it(place, capsys, monkeypatch, device, engine, said):
    """What a notebook would refuse after hours is refused before the run."""
    import openvino
    import torch

    core = SimpleNamespace(get_property=lambda *asked: ["FP32"])
    monkeypatch.setattr(openvino, "Core", lambda: core)
    for name, value in (("is_available", True), ("device_count", 1), ("is_bf16_supported", True)):
        monkeypatch.setattr(torch.cuda, name, lambda value=value, **options: value)
    changes = {"PRECISION": "bfloat16", "DEVICE": device, "OCR_ENGINES": [engine]}
    if said:
        check_refused(place, capsys, said, lambda: ask(place, changes))
    else:
        folders = {name: f"{place}/new/{name}" for name in ("RUN_DIR", "DATA_DIR")}
        preflight.check_surroundings(Parameters.model_validate(KNOWN | folders | changes))


def test_silent_scheduler_is_not_waited_for(monkeypatch):
    """An address that swallows everything, its look-up included, costs the timeout only."""
    monkeypatch.setattr(preflight, "ANSWER_TIMEOUT", 0.05)
    monkeypatch.setattr(socket, "create_connection", lambda *_: time.sleep(5))
    started = time.monotonic()
    assert "no answer within" in preflight.check_cluster("tcp://swallows.example:8786")
    assert time.monotonic() - started < 2


def test_right_surroundings_are_accepted(place):
    """A port that listens and folders still to be made are no mistake, and none is made."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        folders = {name: f"{place}/new/{name}" for name in ("RUN_DIR", "DATA_DIR")}
        asked = KNOWN | folders | {"CLUSTER": address, "DEVICE": "cpu"}
        preflight.check_surroundings(Parameters.model_validate(asked))
    assert not (place / "new").exists()


def test_read_only_disk_is_found(tmp_path):
    """A disk that cannot be written refuses root as well."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(tmp_path)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a disk can only be mounted by root, on Linux")
    try:
        assert find_write_problem(tmp_path / "run") == "Read-only file system"
        assert "cannot write" in preflight.check_access(str(tmp_path / "run"))
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("new/run", ""),  # the run would make both
        ("file/run", "cannot write to"),  # below a file
        ("file", "cannot write to"),  # a file itself
        ("a\0b", "null"),  # no path at all
    ],
)
def test_access_is_told_without_writing(tmp_path, name, said):
    """A forecast asks for permissions, and makes no folder to try."""
    (tmp_path / "file").touch()
    before = tmp_path.stat().st_mtime_ns
    found = preflight.check_access(f"{tmp_path}/{name}")
    assert said in found and bool(found) == bool(said)
    assert tmp_path.stat().st_mtime_ns == before


TEXTS = st.text(max_size=30) | st.sampled_from(["~", "~x", ".", "..", "/", "/proc", "\0", "[::1"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(KNOWN)), ANYTHING)
def test_any_value_is_judged(name, value):
    """Each value of each parameter is right or wrong; none is an error in the check itself."""
    wrong = find_problems(KNOWN | {name: value})
    assert all(problem.startswith(name) for problem in wrong if "both empty" not in problem)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text("-:?[]{}&*!|>'\"%@#<=~, \n\ta1.e+", max_size=60))
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    """A file of parameters is names with values, or the deliberate error."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        assert isinstance(read_values(path), dict)
    except ParameterError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"RUN_DIR": "/proc/run"}, "cannot write there"),
    ],
)
def test_program_itself(place, tmp_path, value, said):
    """The program says the same as its function, and no package adds a line."""
    path = tmp_path / "params.yaml"
    path.write_text(
        json.dumps({"TRAIN_CSV": "", "RUN_DIR": f"{place}/run"} | value).replace("@", str(place))
    )
    command = [sys.executable, "-m", "lib", "run", str(path)]
    before = list_files(place)
    result = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr
    assert list_files(place) == before
