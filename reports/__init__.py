"""Rows in, bytes out: workbooks, documents, charts."""
