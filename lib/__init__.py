"""Read measurements off product photos: download, features, OCR, extraction, evaluation."""
