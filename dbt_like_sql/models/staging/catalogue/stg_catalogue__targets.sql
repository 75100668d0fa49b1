select indicator_id, period, cast(value as double precision) as value, origin
from {{ source('catalogue', 'targets') }}
where not _is_deleted
