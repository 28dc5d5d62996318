"""Where the sentences stand: one file a theme, with the line that opens it."""

from importlib.resources import files

from deploy.reference.tables import table


def themes() -> str:
    """Each file of texts/ and what it holds."""
    pages = {page.name: page for page in files("texts").iterdir() if page.name.endswith(".toml")}
    rows = []
    for name, page in sorted(pages.items()):
        opening = page.read_text(encoding="utf-8").partition("\n")[0]
        if not opening.startswith("# "):
            raise ValueError(f"texts/{name} does not open with what it holds")
        rows.append((f"[`texts/{name}`](../../texts/{name})", opening.removeprefix("# ")))
    return table(("file", "what it holds"), rows)
