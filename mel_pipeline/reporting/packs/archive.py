"""Office files with the same bytes for the same content: their parts carry the time of writing."""

from __future__ import annotations

import io
import re
import zipfile

MOMENT = (1980, 1, 1, 0, 0, 0)
STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")
FIXED = rb"\g<1>2000-01-01T00:00:00Z\g<2>"


def steady(content: bytes) -> bytes:
    """The archive with fixed times, in the files it embeds as well."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for part in before.infolist():
            body = before.read(part)
            if part.filename.endswith("core.xml"):
                body = STAMP.sub(FIXED, body)
            elif part.filename.endswith((".xlsx", ".docx")):
                body = steady(body)
            entry = zipfile.ZipInfo(part.filename, MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            after.writestr(entry, body)
    return out.getvalue()
