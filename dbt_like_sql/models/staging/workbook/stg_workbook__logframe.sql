select
    id as logframe_id,
    project as project_id,
    level,
    cast(cast(position as double precision) as integer) as position,
    statement_en,
    statement_fr,
    statement_es,
    statement_ca,
    assumption_en,
    assumption_fr,
    assumption_es,
    assumption_ca,
    verification,
    indicator as indicator_id,
    coalesce(dimension, 'total') as dimension,
    case when dimension is not null then category end as category,
    cast(baseline as double precision) as baseline_value,
    baseline_on,
    cast(target as double precision) as target_value,
    target_by,
    _source_ref as stated_in
from {{ source('workbook', 'logframe') }}
where not _is_deleted
