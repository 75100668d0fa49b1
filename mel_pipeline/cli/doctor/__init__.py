"""`mel doctor`: check what a run needs, item by item; every fault says what to do. Imports no Dagster."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from mel_pipeline.cli.doctor import dagster_state, data, machine
from mel_pipeline.cli.doctor.finding import Finding, Level, WorthALookError, guarded
from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import NotSetUpError, ReportError, SettingsError
from mel_pipeline.core.logo import logo_of
from mel_pipeline.core.organisation import EXAMPLE, FILE, facts, missing_files, missing_keys
from mel_pipeline.core.settings import Settings, load_settings

VERSION_DAYS = 90  # before a version of an API ends, it is warned of


def findings(*, offline: bool = False) -> Iterator[Finding]:
    """Every finding, in the order in which a run would fail.

    Args:
        offline: ask no source whether it accepts the credentials.
    """
    yield Finding(
        Level.OK if sys.version_info >= (3, 11) else Level.BROKEN,
        "Python",
        f"{sys.version.split()[0]} (3.11 or later is needed)",
    )
    settings_found = guarded("Settings", machine.settings_file)
    read = guarded("Settings", lambda: str(load_settings().sample))
    if read.level is Level.BROKEN:
        yield read
        return
    yield settings_found
    yield from findings_of(load_settings(), offline=offline)


def findings_of(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """The findings of settings that could be read."""
    yield guarded("Folder", lambda: machine.space(settings))
    yield guarded("Access", lambda: machine.privacy(settings))
    yield guarded("Login", lambda: machine.login(settings))
    sample = "sample organisation; set MEL_SAMPLE=false and the MEL_* settings for real accounts"
    yield Finding(Level.OK, "Data", sample if settings.sample else "real accounts")
    yield from data.findings(settings)
    yield guarded("Backups", lambda: machine.backups(settings, utc_now()))
    yield guarded("SQL models", lambda: _models(settings))
    yield organisation_finding(settings)
    yield guarded("Languages", lambda: _languages(settings))
    yield guarded("Reports", lambda: _reports(settings))
    for source in source_names():
        yield _source(source, settings, offline=offline)
    yield guarded("E-mail of editions", lambda: _editions(settings))
    yield guarded("Failure notifications", lambda: _notifications(settings))
    yield guarded("Dagster daemon", lambda: dagster_state.daemon(settings))
    yield guarded("Queue of runs", lambda: dagster_state.queue(settings))
    yield guarded("History of runs", lambda: dagster_state.history(settings))


def organisation_finding(settings: Settings) -> Finding:
    """The organisation's folder: what it is, and what this version reads that it does not have."""
    return guarded("Organisation", lambda: _organisation(settings))


def _models(settings: Settings) -> str:
    from mel_pipeline.transform import SqlProject
    from mel_pipeline.transform.catalogue import catalogue_of
    from mel_pipeline.transform.variables import sql_variables

    project = SqlProject.load(settings.sql_dir, sql_variables(settings, settings.open_quarter))
    return f"{len(project.models)} models, {len(catalogue_of(settings).indicators)} indicators"


def _organisation(settings: Settings) -> str:
    place = settings.organisation
    if absent := missing_files(place):
        raise SettingsError(
            f"{place} lacks {', '.join(absent)}, which this version reads. Copy them from {EXAMPLE} and edit them."
        )
    tables = {
        contract_of(source).asset(entity)
        for source in source_names()
        for entity in contract_of(source).entities
    }
    if unknown := sorted(facts(place).fewest_rows.keys() - tables):
        raise SettingsError(
            f"{place / FILE}: fewest_rows names {unknown[0]}, which is no table. Correct the name."
        )
    logo_of(place)
    said = f"{settings.organisation_name}, {'the shipped example' if place == EXAMPLE else place}"
    by_default = ", ".join(f"{name} ({value!r} counts)" for name, value in missing_keys(place).items())
    return f"{said}; {FILE} does not have {by_default}" if by_default else said


def _languages(settings: Settings) -> str:
    """The languages of the reports; the names in the catalogue are checked when an edition is written."""
    from mel_pipeline.reporting.text.languages import gaps_of_file, language_name, languages, sentence_of

    chosen = languages(settings.report_sources, settings.languages)
    missing = {code: gaps_of_file(settings.report_sources, code) for code in chosen}
    if wrong := [sentence_of(code, found) for code, found in missing.items() if found]:
        raise ReportError(" ".join(wrong))
    return ", ".join(map(language_name, chosen))


def _reports(settings: Settings) -> str:
    """Where reports go, and in which formats."""
    from mel_pipeline.reporting.format_names import wanted_formats
    from mel_pipeline.reporting.inputs.folders import editions_dir

    return f"{', '.join(wanted_formats(settings.formats))} in {editions_dir(settings, published=True)}"


def _source(source: str, settings: Settings, *, offline: bool) -> Finding:
    title = contract_of(source).title
    try:
        return guarded(title, partial(_ask, source, settings, offline=offline))
    except NotSetUpError:
        return Finding(Level.OK, title, "not used; its settings are empty", unused=True)


def _ask(source: str, settings: Settings, *, offline: bool) -> str:
    from mel_pipeline.sources import ask, open_source

    open_source(source, settings)
    if settings.sample:
        return "settings are complete (sample)"
    if offline:
        return "settings are complete; not contacted (--offline)"
    ask(source, settings)
    _require_lasting(source, settings)
    return "answers, and accepts the credentials"


def _editions(settings: Settings) -> str:
    return _mail(settings, settings.mail_to.get_secret_value(), "MEL_MAIL_TO") or (
        "no recipients; set MEL_SMTP_HOST, MEL_MAIL_FROM and MEL_MAIL_TO to send any"
    )


def _notifications(settings: Settings) -> str:
    from mel_pipeline.delivery.channels.services import services

    ways = [_mail(settings, settings.notify_to.get_secret_value(), "MEL_NOTIFY_TO")]
    ways += ["in a chat"] if settings.notify_webhook.get_secret_value() else []
    if others := services(settings.notify_urls.get_secret_value()):
        ways.append(f"to {len(others)} service{'s' if len(others) != 1 else ''}")
    return " and ".join(filter(None, ways)) or (
        "no recipients; set MEL_NOTIFY_TO (with a mail server), MEL_NOTIFY_URLS or MEL_NOTIFY_WEBHOOK to send any"
    )


def _mail(settings: Settings, addresses: str, setting: str) -> str:
    """Check the mail settings without sending anything; empty if no address is set."""
    from mel_pipeline.delivery.recipients import one_address, recipients
    from mel_pipeline.delivery.service import mail_server

    if not addresses:
        return ""
    server, people = mail_server(settings), recipients(addresses, setting)
    one_address(settings.mail_from.get_secret_value(), "MEL_MAIL_FROM")
    return f"to {len(people)} address{'es' if len(people) != 1 else ''} by {server.host}"


def _require_lasting(source: str, settings: Settings) -> None:
    """Warn in time of a version of an API that ends.

    Raises:
        WorthALookError: it ends within ``VERSION_DAYS``, or has ended.
    """
    ending = contract_of(source).retirement
    if ending is None:
        return
    options = settings.source(source)
    version = options.text(ending.setting) if ending.setting else ending.version
    left = ending.day(version) - utc_now().date()
    if left.days <= VERSION_DAYS:
        remedy = f"Set {options.variable(ending.setting)} to a later one." if ending.setting else "Upgrade."
        raise WorthALookError(
            f"version {version} of the API may end from {ending.day(version)} on. {remedy} {ending.page}"
        )
