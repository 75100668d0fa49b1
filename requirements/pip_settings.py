"""Translate pip's configuration into uv's environment variables, because uv does not read pip's files.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import ast
import math
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

SECTIONS = ("global", "install", ":env:")  # in pip's order: later sections override earlier ones
ALIASES = {"default-timeout": "timeout", "pypi-url": "index-url"}
# A constraint meant for other work could contradict the lock; only the lock decides.
NOT_FOR_A_LOCK = ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_SYSTEM_PYTHON")
INDEX_OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")


def effective(listing: str) -> dict[str, str]:
    """Options of ``pip install`` by name.

    Args:
        listing: the output of ``pip config list``, one ``section.name='value'`` per line. pip has merged its files.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, _, written = line.partition("=")
        section, _, name = key.partition(".")
        if section not in found:
            continue
        try:
            value = ast.literal_eval(written)
        except (ValueError, SyntaxError):
            continue  # not a line of the listing
        if isinstance(value, str) and value.strip():  # pip treats an empty value as unset
            found[section][ALIASES.get(name, name)] = value.strip()
    return {name: value for section in SECTIONS for name, value in found[section].items()}


def uv_environment(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment to run uv in.

    Args:
        pip: as returned by ``effective``.
        environment: of this process; its own uv variables are kept.
    """
    made = {name: value for name, value in environment.items() if name not in NOT_FOR_A_LOCK}
    for name, value in (_places(pip, environment) | _cache(pip, environment) | _patience(pip)).items():
        made.setdefault(name, value)
    made |= _certificates(pip, environment)
    if "proxy" in pip:
        proxy = pip["proxy"] if "://" in pip["proxy"] else f"http://{pip['proxy']}"
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            made.pop(name, None)
            made[name.upper()] = proxy
    return made


def uv_arguments(pip: Mapping[str, str]) -> list[str]:
    """Options that uv accepts only on its command line."""
    return ["--no-index"] if is_true(pip.get("no-index", "")) else []


def is_true(written: str) -> bool:
    """Parse a switch as pip does."""
    return written.strip().lower() in ("y", "yes", "t", "true", "on", "1")


def _places(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    made: dict[str, str] = {}
    if not any(name in environment for name in INDEX_OF_UV):
        if "index-url" in pip:
            made["UV_DEFAULT_INDEX"] = pip["index-url"]
        if extra := pip.get("extra-index-url", "").split():
            made["UV_INDEX"] = " ".join(extra)
            # Like pip: a package may come from any index. The hashes guarantee its content.
            made["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    links = [_expanded(link) for link in pip.get("find-links", "").split()]
    # pip ignores a missing folder; uv would stop.
    links = [link for link in links if _is_url(link) or Path(link).exists()]
    if links:
        made["UV_FIND_LINKS"] = ",".join(_without_comma(link) for link in links)
    if "trusted-host" in pip:
        made["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if pip.get("keyring-provider") == "subprocess":
        made["UV_KEYRING_PROVIDER"] = "subprocess"
    return made


def _cache(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    # pip treats any value, even "off", as a request for no cache.
    return {"UV_NO_CACHE": "1"} if "no-cache-dir" in pip and "UV_CACHE_DIR" not in environment else {}


def _patience(pip: Mapping[str, str]) -> dict[str, str]:
    made = {}
    for name, of_uv in (("timeout", "UV_HTTP_TIMEOUT"), ("retries", "UV_HTTP_RETRIES")):
        try:
            made[of_uv] = str(max(0, math.ceil(float(pip[name]))))
        except (KeyError, ValueError, OverflowError):
            continue  # unset, or a value that pip would reject too
    return made


def _certificates(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    made = {"SSL_CLIENT_CERT": _expanded(pip["client-cert"])} if "client-cert" in pip else {}
    bundle = pip.get("cert") or environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE")
    if bundle and ("cert" in pip or "SSL_CERT_FILE" not in environment):
        path = _expanded(bundle)
        return made | {"SSL_CERT_DIR" if Path(path).is_dir() else "SSL_CERT_FILE": path}
    own = ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS", "SSL_CERT_FILE", "SSL_CERT_DIR")
    legacy = "legacy-certs" in pip.get("use-deprecated", "").split()
    if not legacy and not any(name in environment for name in own) and _system_has_certificates():
        made["UV_SYSTEM_CERTS"] = "1"  # pip uses the system's store, which may hold a company's own authority
    return made


def _system_has_certificates() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def _is_url(place: str) -> bool:
    return "://" in place or place.startswith("file:")


def _without_comma(place: str) -> str:
    """uv separates places by commas."""
    if "," not in place:
        return place
    return (place if _is_url(place) else Path(place).absolute().as_uri()).replace(",", "%2C")


def _expanded(path: str) -> str:
    return os.path.expanduser(path) if path.startswith("~") else path  # noqa: PTH111 - a URL is no Path
