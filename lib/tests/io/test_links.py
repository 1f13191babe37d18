"""Tests for links, and for folders of images."""

import pytest

from lib.io.links import find_scheme, may_be_local, walk_files

# link, scheme, whether it may name a file here, why this row
LINKS = [
    ("a/b.jpg", "", True, "a path"),
    ("/a/b.jpg", "", True, "an absolute path"),
    (r"C:\a.jpg", "", True, "one letter is a drive"),
    ("a//b.jpg", "", True, "two slashes within a path"),
    ("10:20.jpg", "", True, "a scheme begins with a letter"),
    ("img:1.jpg", "img", True, "a name with a colon"),
    ("FILE:///a.jpg", "file", True, "a file, in capitals"),
    ("data:image/png;base64,aa//", "data", False, "the image itself, slashes or not"),
    ("https://x.example/a.jpg", "https", False, "a host"),
    ("//x.example/a.jpg", "https", False, "a host without a scheme"),
    ("git+ssh://x.example/a", "git+ssh", False, "a scheme of several words"),
    ("", "", True, "no link at all"),
]


@pytest.mark.parametrize(("link", "scheme", "is_local", "why"), LINKS)
def test_kinds_of_links(link, scheme, is_local, why):
    """A link names a host, a file, or is the image."""
    assert (find_scheme(link), may_be_local(link)) == (scheme, is_local)


def test_hidden_files_are_no_images(tmp_path):
    """Files and folders that a system hides are not walked, nor are links to folders."""
    for name in ("a.jpg", "b/c.jpg", ".b/d.jpg", "b/.e.jpg", "b/.c/f.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in/round").symlink_to(tmp_path / "in")
    assert sorted(walk_files(tmp_path / "in")) == ["a.jpg", "b/c.jpg"]
