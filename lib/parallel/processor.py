"""Tell what the processor of this machine can do."""


def has_bfloat16() -> bool:
    """Return whether the processor computes in bfloat16; emulating it takes ten times as long."""
    import openvino  # imported here: it takes a fifth of a second

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
