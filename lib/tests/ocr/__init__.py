"""Tests of `lib.ocr.reading`."""
