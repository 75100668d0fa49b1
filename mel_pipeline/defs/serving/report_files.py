"""Published reports under ``/reports/``, drafts under ``/drafts/``: a browser opens no file:// link from a page it got over HTTP.

They share the UI's address and must not share its rights: an HTML or SVG file that found its way into the folder would
otherwise start runs. So every file gets a policy that takes its origin away and lets it load only files beside it, runs
only the script of the reading site, and is of the type its ending says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from mel_pipeline.core.errors import ReportError
from mel_pipeline.defs.serving.guard import App, Receive, Scope, Send
from mel_pipeline.defs.serving.spoken import preferred
from mel_pipeline.reporting.site.templates import script_digests

REPORTS, DRAFTS = "/reports", "/drafts"
PAGE_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
}
DOWNLOAD_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xml": "application/xml",
}
SANDBOX = (
    "sandbox allow-scripts allow-downloads{origin}; default-src 'none'; script-src {script}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def with_reports(
    app: App, folder: Path, sources_dir: Path, drafts: Path | None = None, *, behind_login: bool = False
) -> App:
    """``app``, with the files of ``folder`` under ``/reports/`` and those of ``drafts`` under ``/drafts/``.

    Args:
        sources_dir: templates of the reading site, whose script is the only one that runs.
        behind_login: pages keep their origin, because browsers send no password and no cookie with the pictures of a
            page without one. They still may run no script of theirs, send no form and fetch nothing.
    """
    policy = _policy(sources_dir, " allow-same-origin" if behind_login else "")
    folders = {REPORTS: folder} | ({DRAFTS: drafts} if drafts else {})
    reports = Starlette(
        routes=[
            Mount(address, _Reports(place, policy, _nothing_yet(address, sources_dir, policy)))
            for address, place in folders.items()
        ]
    )

    async def app_with_reports(scope: Scope, receive: Receive, send: Send) -> None:
        is_report = scope["type"] == "http" and str(scope["path"]).startswith((f"{REPORTS}/", f"{DRAFTS}/"))
        await (reports if is_report else app)(scope, receive, send)

    return app_with_reports


class _Reports(StaticFiles):
    """Files with a fixed type and the policy of their kind."""

    def __init__(self, folder: Path, policy: str, nothing: Callable[[Scope], Response]) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)
        self.folder, self.policy, self.nothing = folder, policy, nothing

    async def check_config(self) -> None:
        """The folder appears with the first report."""
        if Path(self.folder).is_dir():
            await super().check_config()

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not (Path(self.folder) / "index.html").is_file() and path in (".", "index.html"):
            return self.nothing(scope)
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-store"
        file = getattr(response, "path", "")
        ending = PurePosixPath(file).suffix.lower()
        # Browsers show no PDF in a sandbox; it holds no script that could act here.
        if ending != ".pdf":
            response.headers["content-security-policy"] = self.policy
        if file and ending in PAGE_TYPES:
            response.headers["content-type"] = PAGE_TYPES[ending]
        elif file:
            response.headers["content-type"] = DOWNLOAD_TYPES.get(ending, "application/octet-stream")
            response.headers["content-disposition"] = "attachment"
        if ending == ".woff2":
            response.headers["access-control-allow-origin"] = (
                "null"  # what a page without an origin is called
            )
        return response

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:  # noqa: ARG002
        """Never: a browser would keep the policy it got with the file, even that of an earlier version."""
        return False


def _nothing_yet(address: str, sources_dir: Path, policy: str) -> Callable[[Scope], Response]:
    """The page that stands where the first report will be, in the language of the browser."""
    from mel_pipeline.reporting.text.languages import languages
    from mel_pipeline.reporting.text.texts import load_texts

    key = "no_drafts" if address == DRAFTS else "no_reports"

    def page(scope: Scope) -> Response:
        header = Headers(scope=scope).get("accept-language", "")
        t = load_texts(sources_dir, preferred(header, languages(sources_dir)))
        links = [("/workbook", "to_page"), ("/locations/mel/jobs/nightly", "to_run")]
        listed = " · ".join(f'<a href="{to}">{t(f"workbook_page.{name}")}</a>' for to, name in links)
        title = t(f"workbook_page.{key}_title")
        return Response(
            f'<!doctype html><html lang="{t.language}"><meta charset="utf-8"><title>{title}</title>'
            '<body style="font-family:sans-serif;max-width:40em;margin:3em auto;padding:0 1em;line-height:1.5">'
            f"<h1>{title}</h1><p>{t(f'workbook_page.{key}')}</p>"
            f"{f'<p>{listed}</p>' if address == DRAFTS else ''}",
            headers={"content-security-policy": policy, "cache-control": "no-store"},
            media_type="text/html",
        )

    return page


def _policy(sources_dir: Path, origin: str) -> str:
    try:
        script = " ".join(f"'{digest}'" for digest in script_digests(sources_dir))
    except ReportError:  # reported where the site is written
        script = "'none'"
    return SANDBOX.format(script=script, origin=origin)
