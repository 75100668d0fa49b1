select
    code as project_id,
    name_en,
    name_fr,
    name_es,
    name_ca,
    donor,
    cast(cast(line as double precision) as integer) as line,
    cities,
    partners,
    status,
    cast(starts_on as date) as starts_on,
    cast(ends_on as date) as ends_on,
    currency,
    document,
    _source_ref as stated_in
from {{ source('workbook', 'projects') }}
where not _is_deleted
