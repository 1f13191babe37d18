"""Tests of `lib.ocr`."""
