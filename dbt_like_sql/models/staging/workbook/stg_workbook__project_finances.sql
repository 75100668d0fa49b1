select
    id as finance_id,
    project as project_id,
    cast(cast(year as double precision) as integer) as year,
    cast(budget as double precision) as budget,
    cast(spent as double precision) as spent,
    cast(rate as double precision) as rate,
    document,
    _source_ref as stated_in
from {{ source('workbook', 'project_finances') }}
where not _is_deleted
