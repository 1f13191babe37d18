"""The benchmark: what each part of the work costs beside the usual way, as ratios of one run."""
