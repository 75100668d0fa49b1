select
    platform,
    account_id,
    counts,
    cast(date_trunc('month', starts_on) as date) as month,
    cast(sum(value) as bigint) as value,
    count(value) as days
from {{ ref('stg_metrics') }}
where grain = 'day'
group by platform, account_id, counts, cast(date_trunc('month', starts_on) as date)
