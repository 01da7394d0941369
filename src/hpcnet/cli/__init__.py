"""What a person types: one file per command, joined in main.py, imported lazily."""
