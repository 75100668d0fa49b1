"""``mel connect``: credentials of a service, from consent in a browser or typed unseen, kept where they may be renewed."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Annotated

import typer

from mel_pipeline.core.errors import MelError, SettingsError

if TYPE_CHECKING:
    from mel_pipeline.core.contracts import Consent
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.shared.oauth.consent import Request

PORT = 8765


def connect(
    service: Annotated[str, typer.Argument(help="zoho, google, meta, or a source such as linkedin or x.")],
    port: Annotated[int, typer.Option(help="Of 127.0.0.1, where the browser is sent back to.")] = PORT,
    paste: Annotated[
        bool, typer.Option("--paste", help="The browser is on another machine: paste the address it ends at.")
    ] = False,
) -> None:
    """Sign in to a service and keep its credentials in MEL_HOME/secrets; says what they allow and when they end.

    What is written in .env or the environment goes first: leave it empty there. The client id and secret of your own
    application at the service stay in .env.
    """
    from mel_pipeline.core.settings import load_settings

    settings = load_settings()
    if settings.sample:
        raise SettingsError(
            "Connecting an account: MEL_SAMPLE is true, and the sample organisation needs none. Set MEL_SAMPLE=false."
        )
    failed = False
    for source in _sources(service):
        _connect(source, settings, port, paste=paste)
        failed |= not _answers(source)
    if failed:
        raise typer.Exit(1)


def _sources(service: str) -> list[str]:
    from mel_pipeline.core.contracts import contract_of, source_names

    wanted = service.strip().lower()
    able = [
        name
        for name in source_names()
        if contract_of(name).consent or any(one.secret for one in contract_of(name).settings.values())
    ]
    found = [name for name in able if wanted in (name, contract_of(name).provider.lower())]
    if not found:
        providers = {contract_of(name).provider.lower() for name in able} - {""}
        raise SettingsError(
            f"Connecting {service}: there is no such service. Known are {', '.join(sorted({*able, *providers}))}."
        )
    return found


def _connect(source: str, settings: Settings, port: int, *, paste: bool) -> None:
    from mel_pipeline.core import connected
    from mel_pipeline.core.contracts import contract_of

    contract = contract_of(source)
    typer.secho(contract.title, bold=True)
    if contract.consent is None:
        _say_how(source)
        secret = [name for name, one in contract.settings.items() if one.secret and not one.optional]
        values = {}
        for name in secret:
            variable = _variable(source, name)
            _require_unwritten(variable)
            values[variable] = typer.prompt(
                f"  {contract.settings[name].description} {variable}", hide_input=True
            )
        connected.keep(settings.secrets_dir, values)
        return
    variable = _variable(source, contract.consent.keeps)
    _require_unwritten(variable)
    value = _consented(source, contract.consent, settings, port, paste=paste)
    connected.keep(settings.secrets_dir, {variable: value})
    typer.echo(f"  It may: {contract.consent.may}\n  It ends: {contract.consent.ends}")


def _consented(source: str, consent: Consent, settings: Settings, port: int, *, paste: bool) -> str:
    from mel_pipeline.core.clock import utc_now
    from mel_pipeline.sources.shared.http import Http
    from mel_pipeline.sources.shared.oauth.consent import Return, code_of, exchange, redirect_to

    request = _request(source, consent, settings, redirect_to(port))
    with Return(port) as back:
        typer.echo(f"  Allowed redirect address of your application: {request.redirect}")
        typer.echo(f"  Open this address, sign in and consent:\n\n{request.address}\n")
        if paste:
            returned = typer.prompt("  The address that the browser ended at", hide_input=True)
        else:
            typer.launch(request.address)
            returned = back.wait()
            if not returned:
                raise SettingsError(
                    f"Connecting {request.title}: nobody consented within ten minutes. Run it again; with --paste where"
                    " the browser is on another machine."
                )
        granted = exchange(Http(), request, code_of(request, returned), utc_now().date())
    if granted.lacking:
        typer.secho(
            f"  ! Not granted: {', '.join(granted.lacking)}. Loads that need them will say so.", fg="yellow"
        )
    if granted.ends_on:
        typer.echo(f"  Ends on {granted.ends_on}.")
    return granted.value


def _request(source: str, consent: Consent, settings: Settings, redirect: str) -> Request:
    from mel_pipeline.core.contracts import contract_of
    from mel_pipeline.sources.shared.http import base_url
    from mel_pipeline.sources.shared.oauth.consent import Request

    written = Formatter().parse(consent.authorize + consent.token)
    addresses = {
        name: base_url(_value(source, name, settings), _variable(source, name))
        for _, name, _, _ in written
        if name
    }
    return Request(
        contract_of(source).title,
        consent,
        consent.authorize.format(**addresses),
        consent.token.format(**addresses),
        _value(source, "client_id", settings),
        _value(source, "client_secret", settings),
        redirect,
    )


def _value(source: str, name: str, settings: Settings) -> str:
    """A setting for consent: of the source itself, or of those that share it.

    Raises:
        SettingsError: it is empty.
    """
    if shared := _shared(source):
        found = getattr(settings, f"{shared}_{name}")
        value = found if isinstance(found, str) else found.get_secret_value()
    else:
        value = settings.source(source).known(name)
    if not value.strip():
        raise SettingsError(
            f"{_variable(source, name)} is empty. Set it in .env; see the README of the source."
        )
    return str(value.strip())


def _variable(source: str, name: str) -> str:
    return f"MEL_{_shared(source) or source}_{name}".upper()


def _shared(source: str) -> str:
    from mel_pipeline.core.contracts import contract_of

    consent = contract_of(source).consent
    return consent.settings if consent else ""


def _require_unwritten(variable: str) -> None:
    from mel_pipeline.core import environment

    if environment.value_of(variable):
        where = environment.names().get(variable, "in the settings")
        raise SettingsError(
            f"{variable} is set {where}, which goes before what is kept here. Remove it there, and run it again."
        )


def _say_how(source: str) -> None:
    """The part of the source's README on where its credentials are made."""
    from mel_pipeline.core.contracts import SOURCES

    path = Path(SOURCES) / source / "README.md"
    if path.exists():
        _, _, rest = path.read_text(encoding="utf-8").partition("## Getting the credentials\n")
        if words := rest.partition("\n## ")[0].strip():
            typer.echo(words)


def _answers(source: str) -> bool:
    """Whether the service answers with the new credentials, and says so."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.sources import ask

    try:
        ask(source, load_settings())
    except MelError as error:
        typer.secho(f"  ! Kept, but not yet of use: {error}", fg="yellow")
        return False
    typer.echo("  It answers. The next run uses it; `mel doctor` looks again at any time.")
    return True
