"""Read on a GPU: worker processes ask one process, which has the card, to run PP-OCR's networks."""
