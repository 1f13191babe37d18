"""Tests of `lib.dev`."""
