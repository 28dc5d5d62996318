"""The tables of docs/reference, read off the program itself: `python -m deploy.reference` writes them anew."""
