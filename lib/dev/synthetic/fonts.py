"""Load freely licensed fonts from installed packages."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

# Family -> package, regular file, bold file (relative to the package's folder).
FAMILIES: dict[str, tuple[str, str, str]] = {
    "Caladea": ("font_caladea", "files/Caladea-Regular.ttf", "files/Caladea-Bold.ttf"),
    "DejaVu Sans": (
        "matplotlib",
        "mpl-data/fonts/ttf/DejaVuSans.ttf",
        "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf",
    ),
    "DejaVu Mono": (
        "matplotlib",
        "mpl-data/fonts/ttf/DejaVuSansMono.ttf",
        "mpl-data/fonts/ttf/DejaVuSansMono-Bold.ttf",
    ),
    "Fjalla One": (
        "font_fjallaone",
        "files/FjallaOne-Regular.ttf",
        "files/FjallaOne-Regular.ttf",
    ),
    "Lato": ("font_lato", "files/Lato-Regular.ttf", "files/Lato-Bold.ttf"),
    "Manrope": ("font_manrope", "files/Manrope-Regular.ttf", "files/Manrope-Bold.ttf"),
    "Source Sans": (
        "font_source_sans_pro",
        "files/SourceSansPro-Regular.ttf",
        "files/SourceSansPro-Bold.ttf",
    ),
    "Source Serif": (  # its .ttf files have a wrong width for "%"
        "font_source_serif_pro",
        "files/SourceSerifPro-Regular.otf",
        "files/SourceSerifPro-Bold.otf",
    ),
}


def find_font(family: str, bold: bool = False) -> Path:
    """Return the path of a font file in its installed package.

    Raises:
        FileNotFoundError: The package is not installed, or lacks the file.
    """
    package, regular, heavy = FAMILIES[family]
    spec = find_spec(package)
    path = Path(spec.origin).parent / (heavy if bold else regular) if spec and spec.origin else None
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"font {family!r} not found: expected it in the package {package!r}; "
            "install the packages of requirements.txt"
        )
    return path


@lru_cache(maxsize=512)
def load_font(family: str, bold: bool, size: int) -> ImageFont.FreeTypeFont:
    """Load a font at `size` pixels, with basic layout, which needs no system library."""
    return ImageFont.truetype(find_font(family, bold), size, layout_engine=ImageFont.Layout.BASIC)
