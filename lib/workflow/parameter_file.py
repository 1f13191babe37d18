"""Read untrusted YAML from a parameter file and from the command line."""

from collections import Counter
from collections.abc import Hashable
from pathlib import Path

import yaml

from lib.io import SHORT
from lib.parallel import InternalError, try_item

MOST_BYTES: int = 1 << 16  # of a file


class ParameterError(ValueError):
    """A run was asked for something that cannot be done; the message says what to change."""


class _Loader(yaml.SafeLoader):
    """A YAML loader without the features that hide mistakes or attacks."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias of a list or mapping: a few lines of them can expand to gigabytes."""
        is_alias = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if is_alias and not isinstance(node, yaml.ScalarNode):
            raise yaml.composer.ComposerError(None, None, "an alias of more than one value")
        return node

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        """Refuse a duplicate name: one of the two values would be lost."""
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, count in names.most_common(1):
            if count > 1:
                problem = f"{SHORT.repr(name)} is given {count} times"
                raise yaml.constructor.ConstructorError(None, None, problem)
        return super().construct_mapping(node, deep)


def read_values(path: Path) -> dict[str, object]:
    """Read a file of names and values.

    Raises:
        ParameterError: The file is missing or holds something else.
    """
    if try_item(path.is_file) is not True:
        raise ParameterError(
            f"No parameter file at {SHORT.repr(str(path))}; see notebooks/params/ for examples."
        )
    values = _load_yaml(str(path), try_item(_read_text, path)) or {}
    if not isinstance(values, dict):
        raise ParameterError(f"{path} holds no names with values, such as `SEED: 0`.")
    return values


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    return data.decode("utf-8")


def parse_value(name: str, text: str) -> object:
    """Parse one value, as it would be written in a file.

    Raises:
        ParameterError: It is not YAML.
    """
    return _load_yaml(f"{name}: {SHORT.repr(text)}", text) if text else ""


def _load_yaml(source: str, text: str | InternalError) -> object:
    """Parse a text as YAML; its parser may raise any error, even `RecursionError` or `KeyError`.

    Raises:
        ParameterError: It is not YAML, or `text` could not be read.
    """
    values = text if isinstance(text, InternalError) else try_item(yaml.load, text, _Loader)
    if isinstance(values, InternalError):
        raise ParameterError(f"{source} is not YAML: {values.kind}: {values.message}")
    return values
