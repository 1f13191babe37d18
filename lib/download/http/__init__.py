"""Ask hosts over HTTP: public addresses only, within a deadline, over kept connections."""
