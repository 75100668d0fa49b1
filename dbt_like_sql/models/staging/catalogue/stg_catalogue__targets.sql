select
    indicator_id,
    coalesce(dimension, 'total') as dimension,
    coalesce(category, '') as category,
    period,
    coalesce(kind, 'target') as kind,
    coalesce(on_date, period) as on_date,
    cast(value as double precision) as value,
    origin
from {{ source('catalogue', 'targets') }}
where not _is_deleted
