select
    id as partnership_id,
    partner,
    kind,
    name_en,
    name_fr,
    name_es,
    name_ca,
    status,
    cast(applied_on as date) as applied_on,
    cast(agreed_on as date) as agreed_on,
    cast(amount as double precision) as amount,
    currency,
    cast(cast(line as double precision) as integer) as line,
    project as project_id,
    document,
    page,
    _source_ref as stated_in
from {{ source('workbook', 'partnerships') }}
where not _is_deleted
