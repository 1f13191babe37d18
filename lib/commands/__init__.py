"""The commands of the command line, a module each; `lib.__main__` imports the one it runs."""
