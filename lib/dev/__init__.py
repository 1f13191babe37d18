"""Provide developers' tools, not needed for a run: benchmark, synthetic sample, model fitting."""
