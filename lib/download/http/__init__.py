"""Send HTTP requests to public addresses only, within a deadline, over reused connections."""
