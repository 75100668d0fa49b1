"""Check what a load needs, step by step, and report the results. Reads no record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mel_pipeline.core.contracts import SourceContract
from mel_pipeline.core.errors import MelError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.http import Policy, TryAgainError
from mel_pipeline.sources.zoho_crm import parse, propose
from mel_pipeline.sources.zoho_crm.api import Api, Call
from mel_pipeline.sources.zoho_crm.client import open_api
from mel_pipeline.sources.zoho_crm.errors import ScopeError
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping, Mapping
from mel_pipeline.sources.zoho_crm.plan import PAGE_REACH, SMALL_MODULE, WAY_LABELS, price, ways


@dataclass(frozen=True)
class CheckResult:
    """``ok`` None: for information; not needed now."""

    ok: bool | None
    subject: str
    message: str


def run_checks(api: Api, contract: SourceContract, mapping: Mapping) -> Iterator[CheckResult]:
    """Check credentials, metadata, each module, access to large modules, and credits. Stops when sign-in fails."""
    try:
        modules = {str(module["api_name"]) for module in api.modules()}
    except MelError as error:
        yield CheckResult(False, "Sign-in", str(error))
        return
    yield CheckResult(True, "Sign-in", f"accepted; calls go to {api.host}")
    yield CheckResult(True, "Modules", f"{len(modules)} can be seen")
    most = 0
    for name in contract.entities:
        result, records = _check_entity(api, contract, mapping[name], name)
        most = max(most, records)
        yield result
    yield from _check_large_modules(api, mapping, most)
    left = api.credits.left
    yield CheckResult(
        True,
        "Credits",
        f"{api.credits.used} used by this check; "
        + (f"{left:,} left today" if left is not None else "less than half of today's are used"),
    )


def ask(settings: Settings, policy: Policy) -> None:
    """Sign in and list the modules: one call.

    Raises:
        SourceError: the CRM does not answer, or refuses.
    """
    if not settings.zoho_export_dir:
        open_api(settings, policy).modules()


def _check_entity(
    api: Api, contract: SourceContract, mapping: EntityMapping, name: str
) -> tuple[CheckResult, int]:
    title = contract.entities[name].title
    try:
        fields = {str(field["api_name"]): field for field in api.fields(mapping.module)}
        records = api.count(mapping.module)
    except MelError as error:
        return CheckResult(False, title, str(error)), 0
    gone = [api_name for api_name in mapping.api_names if api_name not in fields and api_name != "id"]
    if gone:
        words = f"{mapping.module} has no {', '.join(gone)}; correct mapping.yml (`mel zoho map` helps)"
        return CheckResult(False, title, words), records
    slices = len(parse.field_slices(mapping.api_names))
    way = ways(records, slices)[0]
    cost = price(way, records, slices)
    words = (
        f"{mapping.module}: {records:,} records; a first load reads them {WAY_LABELS[way]}, {_credits(cost)}"
    )
    untraced = [f for f in mapping.api_names if fields.get(f, {}).get("data_type") in parse.UNTRACKED]
    if untraced:
        words += f"; Zoho does not record changes to {', '.join(untraced)}, so every load reads everything"
    single = [f for f in mapping.api_names if fields.get(f, {}).get("data_type") in parse.NEVER_LISTED]
    if single:
        words += f"; {', '.join(single)} cost one more credit per record"
    return CheckResult(True, title, words), records


def _credits(count: int) -> str:
    return f"about {count:,} credit{'' if count == 1 else 's'}"


def _check_large_modules(api: Api, mapping: Mapping, most: int) -> Iterator[CheckResult]:
    """Scopes for modules too large for paging; smaller ones load without them."""
    module = next(iter(mapping.values())).module
    select = f"select id from {module} where id > 0 limit 1"  # noqa: S608 - COQL; the name is ours
    yield _probe("Queries (COQL)", most, lambda: api.query(module, select, 1))
    path = "/crm/bulk/v8/read/0"  # no such job: a token with the scope gets that error
    call = Call("Zoho CRM Bulk Read", module, path, scope="ZohoCRM.bulk.READ")
    yield _probe("Bulk Read", most, lambda: api.request(call))


def _probe(what: str, most: int, look: Callable[[], object]) -> CheckResult:
    try:
        look()
    except ScopeError as error:
        if most > PAGE_REACH:
            return CheckResult(False, what, str(error))
        return CheckResult(
            None,
            what,
            f"not allowed for this token; needed beyond {PAGE_REACH:,} records, saves credits beyond {SMALL_MODULE:,}",
        )
    except TryAgainError as error:
        return CheckResult(None, what, str(error))
    except MelError:
        return CheckResult(True, what, "allowed")
    return CheckResult(True, what, "allowed")


def compare_mapping(api: Api, contract: SourceContract, mapping: Mapping) -> Iterator[propose.Findings]:
    """Compare the mapping with the live metadata, entity by entity; a bad module does not hide the others.

    Raises:
        SourceError: the modules cannot be listed at all.
    """
    modules = api.modules()
    existing = {str(module["api_name"]) for module in modules}
    for name, entity in contract.entities.items():
        mapped = mapping.get(name)
        module = mapped.module if mapped and mapped.module in existing else None
        module = module or propose.likely_module(name, entity, modules)
        fields = []
        if module is not None:
            try:
                fields = api.fields(module)
            except MelError:
                fields = []  # `mel zoho check` reports it; here it counts as missing
        yield propose.compare(name, entity, mapped, module, fields)
