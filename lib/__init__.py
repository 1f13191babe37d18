"""Read measurements off product images: download, features, OCR, extraction, evaluation."""
