"""Tests of `lib.workflow`."""
