"""Ask a human for labels: reviews, corrections, what to label next, the user's own model."""
