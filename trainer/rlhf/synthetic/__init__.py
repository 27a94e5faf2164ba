"""Data that models make up: dialogues, prompts and orders, each marked as synthetic wherever it goes."""
