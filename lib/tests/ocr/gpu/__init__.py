"""Tests of `lib.ocr.gpu`, on the CPU."""
