"""Tests of `lib.workflow.labelling`."""
