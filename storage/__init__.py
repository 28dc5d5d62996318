"""Plain SQL in small functions: what is recorded, and how it is read back."""
