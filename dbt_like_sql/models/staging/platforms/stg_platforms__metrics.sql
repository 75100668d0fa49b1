select
    platform,
    account_id,
    content_id,
    metric,
    grain,
    cast(period_start as date) as starts_on,
    cast(period_end as date) as ends_before,
    cast(value as double precision) as value,
    availability
from {{ source('platforms', 'metrics') }}
where not _is_deleted
