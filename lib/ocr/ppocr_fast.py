"""Configure PP-OCR for speed: no closer pass, no rereading, less enlarging."""

from lib.ocr import ppocr

SETTINGS: dict[str, object] = ppocr.SETTINGS | {
    "enlarged_side": 840,
    "first_most": 820,
    "squeeze": 0.85,
    "closer_side": 0,
    "doubt": 0.0,
}

name_version = ppocr.name_version
load_reader = ppocr.load_reader
