"""Generate synthetic sample images with known measurements from a seed."""
