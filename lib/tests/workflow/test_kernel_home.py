"""Folders of kernels: where the home folder cannot be written they lie elsewhere."""

import os
import subprocess
import sys
from unittest.mock import Mock

import pytest

from lib.io.paths import PROJECT
from lib.workflow.kernel_home import VARIABLES, kernel_folders


@pytest.fixture
def no_variables(monkeypatch):
    """An environment that says nothing about such folders."""
    for name in (*VARIABLES, "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_home_is_used_where_it_can(no_variables, monkeypatch, tmp_path):
    """Who has a home folder keeps what lies there, and nothing is made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kernel_folders(tmp_path / "own") == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", ["/proc/nobody", "/dev/null", "/proc"])
def test_folders_of_their_own(no_variables, monkeypatch, tmp_path, home):
    """Where the home folder cannot be written, each variable names a folder below the one given."""
    monkeypatch.setenv("HOME", home)
    found = kernel_folders(tmp_path / "own")
    assert set(found) == set(VARIABLES)
    assert all(path.startswith(f"{tmp_path}/own/") for path in found.values())


def test_user_without_home(no_variables, monkeypatch, tmp_path):
    """A user whom the system does not know gets a home folder, as packages insist on one."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", Mock(side_effect=KeyError("unknown user")))
    assert kernel_folders(tmp_path / "own")["HOME"] == f"{tmp_path}/own"


def test_what_is_set_stays(no_variables, monkeypatch, tmp_path):
    """A folder that the user has named is not changed, and fetched weights are still found."""
    (tmp_path / "torch/hub/checkpoints").mkdir(parents=True)
    (tmp_path / "torch/hub/checkpoints/resnet50.pth").touch()
    monkeypatch.setenv("HOME", "/proc/nobody")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = kernel_folders(tmp_path / "own")
    assert "XDG_CACHE_HOME" not in found
    assert found["TORCH_HOME"] == f"{tmp_path}/torch"


def test_packages_keep_to_the_folders(no_variables, monkeypatch, tmp_path):
    """With the variables set, nothing is looked for in a home folder and nothing is warned of."""
    monkeypatch.setenv("HOME", "/proc/nobody")
    code = (
        "import matplotlib, jupyter_core.paths as paths, IPython.paths\n"
        "print(matplotlib.get_configdir(), matplotlib.get_cachedir())\n"
        "print(paths.jupyter_runtime_dir(), paths.jupyter_data_dir(), paths.jupyter_config_dir())\n"
        "print(IPython.paths.get_ipython_dir())"
    )
    environment = os.environ | kernel_folders(tmp_path / "own")
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=PROJECT)
    assert result.stderr == ""
    assert all(path.startswith(f"{tmp_path}/own/") for path in result.stdout.split())
