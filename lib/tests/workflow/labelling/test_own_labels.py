"""Labels on the command line: from a list to fill in to a model."""

import pandas as pd
import pytest

from lib import __main__ as program
from lib.evaluation.labels import read_labels
from lib.extraction.learned import own_model
from lib.extraction.learned.questions import write_rows
from lib.reports.past_runs import find_newest
from lib.tests.labelled_run import make_shipped, tell_dose, write_labelled_run
from lib.workflow.labelling import own_labels


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over forty labels."""
    return write_labelled_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path):
    """Few trees, and few rows in place of the shipped ones."""
    monkeypatch.setattr("lib.extraction.learned.training.TREES", 6)
    write_rows(make_shipped(), tmp_path / "rows.npz")
    monkeypatch.setattr(own_model, "SHIPPED_ROWS", tmp_path / "rows.npz")


@pytest.fixture
def call(tmp_path, run, capsys):
    """Run a command on the run and a data folder; return its exit code and what it says."""

    def call(*arguments):
        code = program.main([*map(str, arguments), "--data-dir", str(tmp_path / "data")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_list_is_filled_in_and_learned_from(tmp_path, run, call, caplog):
    """Suggested rows are written, filled in, taken in with a name, and fitted on."""
    path = tmp_path / "todo.csv"
    code, out, _ = call("suggest", run, "-n", 30, "--csv", path)
    assert code == 0 and out.count("images/") == 30 and f"fit {path} --run {run}" in out
    table = pd.read_csv(path, dtype=str)
    numbers = table["index"].astype(int) - 100
    table["entity_value"] = [tell_dose(number) for number in numbers]
    table.loc[0, "entity_value"] = "5 volt"
    table.to_csv(path, index=False)
    code, out, _ = call("fit", path, "--run", run, "--by", "ann")
    assert code == 0, out
    assert "29 labels added" in caplog.text and "1 refused" in caplog.text
    assert f"{path}, row 2: the unit 'volt' is not allowed" in caplog.text
    labels = read_labels(tmp_path / "data/labels.csv")
    assert set(labels["labelled_by"]) == {"ann"} and labels["prediction"].str.len().all()
    assert f"Model: {tmp_path / 'data/model.npz'}" in out and "item_weight" in out
    assert call("suggest", run)[1].count("images/") == 10
    caplog.clear()
    code, out, _ = call("fit", "--run", run)  # again, from what is there
    assert code == 0 and "Model:" in out and "added" not in caplog.text


def test_worse_model_is_told(monkeypatch, tmp_path, run, call):
    """Where the comparison is lost, nothing is written, and that is no error."""
    both = own_model.cross_answer_both
    monkeypatch.setattr(own_model, "cross_answer_both", lambda *given: both(*given)[::-1])
    path = write_doses(tmp_path / "mine.csv", 40)
    code, out, _ = call("fit", path, "--run", run)
    assert code == 0 and "nothing was written" in out
    assert not (tmp_path / "data/model.npz").exists()


def write_doses(path, count):
    """Write labels by index: the dose."""
    rows = {"index": range(100, 100 + count), "entity_value": map(tell_dose, range(count))}
    pd.DataFrame({name: list(values) for name, values in rows.items()}).to_csv(path, index=False)
    return path


def test_too_few_labels_are_kept(tmp_path, run, call, caplog):
    """Labels that are too few for a fit are in the file for the next one."""
    path = write_doses(tmp_path / "few.csv", 5)
    assert call("fit", path, "--run", run)[0] == 2
    assert "5 labels added" in caplog.text
    assert len(read_labels(tmp_path / "data/labels.csv")) == 5


def test_unread_images_are_counted(tmp_path, run, call, caplog):
    """Labels of images that no run has read are kept and named."""
    path = write_doses(tmp_path / "mine.csv", 40)
    new = tmp_path / "new.csv"
    new.write_text("image_link,entity_name,entity_value\nnew.jpg,width,1 inch\n")
    assert call("fit", path, new, "--run", run)[0] == 0
    assert "1 of the labelled images" in caplog.text and "new.jpg" in caplog.text
    assert len(read_labels(tmp_path / "data/labels.csv")) == 41


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "{few}", "--run", "{run}"], "5 labelled rows are too few"),
        (["fit", "--run", "{run}"], "name a CSV file of labels"),  # there are none yet
        (["fit", "{few}"], "no finished run"),  # in an empty reports/
        (["fit", "{few}", "--run", "no such"], "No run no such"),
        (["fit", "none.csv", "--run", "{run}"], "No file none.csv"),
        (["fit", "{damaged}", "--run", "{run}"], "cannot be read as a table"),
        (["suggest", "no such"], "No run no such"),
    ],
)
def test_wrong_request_is_one_line(monkeypatch, tmp_path, run, call, arguments, message):
    """Whatever is missing or damaged ends with code 2 and one line."""
    monkeypatch.setattr(own_labels, "find_newest", lambda: find_newest(tmp_path))
    (tmp_path / "damaged.csv").write_bytes(bytes(range(9)))
    few = write_doses(tmp_path / "few.csv", 5)
    names = {"few": few, "run": run, "damaged": tmp_path / "damaged.csv"}
    code, _, err = call(*(str(one).format(**names) for one in arguments))
    assert code == 2 and message in err.splitlines()[-1]


def test_damaged_labels_are_left_alone(tmp_path, run, call):
    """The user's own file is not overwritten once it is something else."""
    labels = tmp_path / "data/labels.csv"
    labels.parent.mkdir()
    labels.write_text("something else\n")
    for command in (["fit", write_doses(tmp_path / "m.csv", 40), "--run", run], ["suggest", run]):
        code, _, err = call(*command)
        assert code == 2 and "is no file of labels" in err
    assert labels.read_text() == "something else\n"


def test_nothing_left_to_label_is_told(tmp_path, run, call):
    """Where all is labelled the line says so, and that no file was written."""
    call("fit", write_doses(tmp_path / "all.csv", 40), "--run", run)
    code, out, _ = call("suggest", run, "--csv", tmp_path / "todo.csv")
    assert code == 0 and "Nothing is left to label in run" in out
    assert f"{tmp_path / 'todo.csv'} is not written" in out
    assert not (tmp_path / "todo.csv").exists()


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5"])
def test_number_of_rows_is_checked(run, count):
    """A list of no rows is a wrong request."""
    with pytest.raises(SystemExit) as ended:
        program.main(["suggest", str(run), "-n", count])
    assert ended.value.code == 2
