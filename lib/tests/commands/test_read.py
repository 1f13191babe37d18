"""`python -m lib read`: what it prints, its exit codes, and what it does without."""

import io
import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint

import pandas as pd
import pytest
from PIL import Image

from lib import __main__ as program
from lib.io.paths import PROJECT
from lib.quantities import ENTITIES
from lib.tests.stand_in import draw_text


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A label, in a folder with a note."""
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(draw_text(("Net weight 340 g", 40, 60, 40))).save(folder / "jar.png")
    (folder / "note.txt").write_text("buy milk")
    return folder


@pytest.fixture
def read(photos, monkeypatch, capsys):
    """Run `read` in the folder; give exit code, output and complaint."""
    monkeypatch.chdir(photos)

    def run(*arguments):
        code = program.main(["read", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_table(read):
    """A person sees each question, its answer, the confidence and the text; failures as a line."""
    code, said, _ = read("jar.png", "note.txt")
    lines = [line.rstrip() for line in said.splitlines()]
    assert code == 0
    assert lines[0] == "jar.png"
    assert lines[1].split() == ["question", "answer", "confidence", "text", "or", "reason"]
    (weight,) = [line for line in lines if "item weight" in line]
    assert weight.split()[2:4] == ["340.0", "gram"] and weight.endswith("340 g")
    assert "no quantity in a fitting unit" in said
    assert lines[-1].startswith("note.txt: not an image we read")
    assert max(map(len, lines[:-1])) <= 80


def test_json_and_csv(read):
    """Programs get the same rows, and nothing else on standard output."""
    rows = json.loads(read("jar.png", "--entity", "item_weight", "--json")[1])
    table = pd.read_csv(io.StringIO(read("jar.png", "--entity", "item_weight", "--csv")[1]))
    assert [row["prediction"] for row in rows] == table["prediction"].tolist() == ["340.0 gram"]
    assert list(rows[0]) == table.columns.tolist()
    assert rows[0]["image"] == "jar.png" and rows[0]["runner_up_confidence"] is None
    assert '"1/2 lb"' in read("--text", "Net Wt 1/2 lb", "--entity", "item_weight", "--json")[1]


def test_all_quantities(read):
    """`--all` lists what was seen, whatever it answers."""
    seen = json.loads(read("jar.png", "--all", "--json")[1])
    assert [(row["quantity"], row["line"]) for row in seen] == [("340.0 gram", "Net weight 340 g")]
    assert "Net weight 340 g" in read("jar.png", "--all")[1]


def test_save(read, tmp_path):
    """`--save` writes the annotated image and says where."""
    code, _, said = read("jar.png", "--save", tmp_path / "out.png", "--csv")
    assert code == 0 and said.endswith(f"Saved: {tmp_path / 'out.png'}\n")
    assert Image.open(tmp_path / "out.png").size == (640, 480)


def test_standard_input(read, photos, monkeypatch):
    """A photo may come through a pipe."""
    content = io.TextIOWrapper(io.BytesIO((photos / "jar.png").read_bytes()))
    monkeypatch.setattr("sys.stdin", content)
    (row,) = json.loads(read("-", "--entity", "item_weight", "--json")[1])
    assert (row["image"], row["prediction"]) == ("standard input", "340.0 gram")


def test_text(read, tmp_path):
    """A text, or a file of texts, tries the grammar without a photo."""
    code, said, _ = read("--text", "Net Wt 12 oz (340 g)")
    assert code == 0 and "12.0 ounce" in said
    texts = pd.DataFrame({"entity_name": ["item_volume", "width"], "text": ["75 cl", "[b] 3 cm"]})
    texts.to_csv(tmp_path / "texts.csv", index=False)
    rows = json.loads(read("--texts", tmp_path / "texts.csv", "--json")[1])
    assert [(row["input"], row["entity_name"], row["prediction"]) for row in rows] == [
        ("75 cl", "item_volume", "75.0 centilitre"),
        ("[b] 3 cm", "width", "3.0 centimetre"),
    ]
    assert "[b] 3 cm" in read("--texts", tmp_path / "texts.csv")[1]  # no markup
    rows = json.loads(read("--texts", tmp_path / "texts.csv", "--json", "--entity", "depth")[1])
    assert [row["entity_name"] for row in rows] == ["depth"] * 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["note.txt"], 1, ""),  # none was read
        (["note.txt", "gone.png", "--json"], 1, ""),
        (["note.txt", "--all"], 1, ""),
        ([], 2, "name photos, or --text, or --texts"),
        (["jar.png", "--text", "5 cm"], 2, "name photos, or --text, or --texts"),
        (["--text", "5 cm", "--save", "x.png"], 2, "--save and --all are for photos"),
        (["jar.png", "--save", "jar.png"], 2, "is the image itself"),
        (["jar.png", "--save", "x.docx"], 2, "no suffix of an image"),
        (["note.txt", "--model", "gone.npz"], 2, "gone.npz"),
        (["note.txt", "--model", "pyproject.toml"], 2, "no file of this project"),
        (["--texts", "gone.csv"], 2, "gone.csv"),
        (["--texts", "note.txt"], 2, "has no column text; found buy milk"),
    ],
)
def test_exit_codes(read, arguments, code, message):
    """0 if a photo was read, 1 if none was, 2 with a line if the request is wrong."""
    found, _, said = read(*arguments)
    assert found == code
    assert message in said and said.count("\n") == bool(message)


@pytest.mark.parametrize("name", ["Item_Weight", "item weight", "WEIGHT"])
def test_entity_in_any_case(read, name):
    """A question is known by the names that tables may use."""
    rows = json.loads(read("--text", "1 kg", "--entity", name, "--json")[1])
    assert [row["entity_name"] for row in rows] == ["item_weight"]


def test_unknown_entity(read, capsys):
    """A misspelt entity is refused, and the known ones are listed."""
    with pytest.raises(SystemExit) as ended:
        read("jar.png", "--entity", "wdith")
    assert ended.value.code == 2
    assert all(entity in capsys.readouterr().err for entity in ENTITIES[:1])


HEAVY = (
    "torch",
    "torchvision",
    "sklearn",
    "skops",
    "matplotlib",
    "IPython",
    "papermill",
    "aiohttp",
)
SCRIPT = f"""
import sys
from lib.__main__ import main
code = main(sys.argv[1:])
heavy = [name for name in {HEAVY} if name in sys.modules]
print(heavy, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("method", ["rules", "learned"])
def test_reads_without_heavy_libraries(photos, tmp_path, method):
    """One photo needs neither torch nor scikit-learn, and leaves nothing behind."""
    for name in ("here", "tmp", "home"):
        (tmp_path / name).mkdir()
    environment = os.environ | {
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    asked = [photos / "jar.png", "--json", "--method", method, "--data-dir", tmp_path / "data"]
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, "read", *map(str, asked)],
        capture_output=True,
        text=True,
        cwd=tmp_path / "here",
        env=environment,
        timeout=60,
    )
    assert (result.returncode, result.stderr.splitlines()[-1]) == (0, "[]"), result.stderr
    answers = {row["entity_name"]: row["prediction"] for row in json.loads(result.stdout)}
    assert answers["item_weight"] == "340.0 gram"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["here", "home", "tmp"]


def test_console_script(monkeypatch, capsys):
    """The console script calls `main`, and its help names it as it was called."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        ((name, target),) = tomllib.load(file)["project"]["scripts"].items()
    assert EntryPoint(name, target, "console_scripts").load() is program.main
    for called, shown in ((f"/venv/bin/{name}", name), ("lib/__main__.py", "python -m lib")):
        monkeypatch.setattr(sys, "argv", [called])
        with pytest.raises(SystemExit):
            program.main(["--help"])
        assert capsys.readouterr().out.startswith(f"usage: {shown} ")
