"""Sample pictures with known measurements, drawn by a seeded generator."""
