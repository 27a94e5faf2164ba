"""The texts of the source that screens show: ``python -m config.words`` brings them into the catalogs.

New texts come in untranslated, texts that no source uses any more go. ``tests/test_words.py`` refuses a
catalog that is behind its source.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGS = ROOT / "config" / "locale"
METHODS = [("**/templates/**.html", "config.words:extract_template"), ("**.py", "python")]
KEYWORDS = {
    "_": None,
    **dict.fromkeys(["gettext", "gettext_lazy"]),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    "npgettext": ((1, "c"), 2, 3),
}


def extract_template(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """Django's own view of a template as Python source, read by Babel like any other Python."""
    source = templatize(file.read().decode())
    # What is left of the markup keeps its line but not its indent, which would not be valid Python.
    lines = "\n".join(line.strip() for line in source.split("\n"))
    yield from extract_python(BytesIO(lines.encode()), keywords, comment_tags, options)


def source_texts() -> Catalog:
    """Every text that the code and the templates mark for translation."""
    catalog = Catalog(project="Rankwright", charset="utf-8")
    for folder in ("annotation", "config", "trainer"):
        for path, _line, text, comments, context in extract_from_dir(
            ROOT / folder, METHODS, keywords=KEYWORDS, comment_tags=["Translators:"], strip_comment_tags=True
        ):
            catalog.add(text, locations=[(f"{folder}/{path}", 0)], auto_comments=comments, context=context)
    return catalog


def catalogs() -> Iterable[Path]:
    return sorted(CATALOGS.glob("*/LC_MESSAGES/django.po"))


def read_catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def update(path: Path) -> None:
    catalog = read_catalog(path)
    catalog.update(source_texts(), no_fuzzy_matching=True, update_creation_date=False)
    write(path, catalog)


def write(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=110, sort_by_file=True, ignore_obsolete=True, include_lineno=False)


if __name__ == "__main__":
    for catalog_path in catalogs():
        update(catalog_path)
