"""Every sentence that people read, Chinese and English side by side."""

from texts.catalogue import LANGUAGES, Catalogue, Text, TextError, holes
from texts.rendering import render

__all__ = ["LANGUAGES", "Catalogue", "Text", "TextError", "holes", "render"]
