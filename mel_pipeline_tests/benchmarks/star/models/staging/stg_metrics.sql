select
    m.platform,
    m.account_id,
    m.content_id,
    c.counts,
    m.grain,
    cast(m.period_start as date) as starts_on,
    cast(m.value as bigint) as value
from {{ source('platforms', 'metrics') }} as m
join {{ source('catalogue', 'metrics') }} as c on c.platform = m.platform and c.metric = m.metric
where not m._is_deleted
