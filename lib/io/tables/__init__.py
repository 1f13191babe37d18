"""Read tables as people have them: find their form, their columns, what is wrong with a row."""
