select
    account_id,
    metric,
    cast(period_start as date) as starts_on,
    cast(period_end as date) as ends_before,
    cast(value as bigint) as value
from {{ source('instagram', 'period_insights') }}
where not _is_deleted
