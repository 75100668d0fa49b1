select
    indicator_id,
    period,
    coalesce(kind, 'target') as kind,
    coalesce(on_date, period) as on_date,
    cast(value as double precision) as value,
    origin
from {{ source('catalogue', 'targets') }}
where not _is_deleted
