"""The texts of the source that screens show: ``python -m config.words`` brings them into the catalogs.

New texts come in untranslated, texts that no source uses any more go. ``tests/test_words.py`` refuses a
catalog that is behind its source.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import django
import unfold
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from trainer.handoff.configs import CONFIGS, explain
from trainer.handoff.health import CHECKS
from trainer.handoff.metrics import METRICS
from trainer.handoff.plans import plan_texts

ROOT = Path(__file__).resolve().parent.parent
CATALOGS = ROOT / "config" / "locale"
FOLDERS = ("annotation", "config", "trainer")
TEMPLATE = "config.words:extract_template"
METHODS = [("**/templates/**.html", TEMPLATE), ("**.py", "python")]
THEME_METHODS = [("templates/**.html", TEMPLATE), ("*.py", "python"), ("mixins/**.py", "python")]
KEYWORDS = {
    "_": None,
    **dict.fromkeys(["gettext", "gettext_lazy", "gettext_noop"]),
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
    """Every text on a screen that Python or a template writes."""
    catalog = Catalog(project="Rankwright", charset="utf-8")
    for folder in FOLDERS:
        for path, _line, text, comments, context in texts_in(ROOT / folder, METHODS):
            catalog.add(text, locations=[(f"{folder}/{path}", 0)], auto_comments=comments, context=context)
    for place, text in hatch_texts():
        catalog.add(text, locations=[(place, 0)])
    for text in theme_texts():
        catalog.add(text, locations=[("unfold", 0)])
    return catalog


def texts_in(folder: Path, methods: list[tuple[str, str]]) -> Iterable[tuple[str, int, Any, Any, Any]]:
    return extract_from_dir(
        folder, methods, keywords=KEYWORDS, comment_tags=["Translators:"], strip_comment_tags=True
    )


def hatch_texts() -> Iterator[tuple[str, str]]:
    """What pages show of the hatch. It knows nothing of Django, so it cannot mark its texts."""
    for kind, config in CONFIGS.items():
        notes = [note for _default, note in explain(kind).values()]
        yield from (("trainer/handoff/configs/", text) for text in [config.__doc__ or "", *notes] if text)
    yield from (("trainer/handoff/metrics.py", text) for text in METRICS.values())
    yield from (("trainer/handoff/plans.py", text) for text in plan_texts())
    yield from (
        ("trainer/handoff/health.py", text) for check in CHECKS for text in (check.seen, check.change)
    )


def theme_texts() -> Iterator[Any]:
    """What the admin's theme says beside Django's own texts. It brings no catalogs: they are ours to give."""
    for _path, _line, text, _comments, _context in texts_in(Path(unfold.__file__).parent, THEME_METHODS):
        if (text if isinstance(text, str) else text[0]) not in django_texts():
            yield text


@cache
def django_texts() -> set[str]:
    files = Path(django.__file__).parent.rglob("locale/en/LC_MESSAGES/django.po")
    messages = [message for path in files for message in read_po(BytesIO(path.read_bytes()))]
    return {message.id if isinstance(message.id, str) else message.id[0] for message in messages}


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
