select
    m.platform || '|' || m.account_id as account_key,
    m.content_id,
    m.metric,
    c.counts,
    c.is_additive,
    m.grain,
    m.starts_on,
    m.ends_before,
    m.value,
    m.availability
from {{ ref('stg_platforms__metrics') }} as m
join {{ ref('stg_catalogue__metrics') }} as c on c.platform = m.platform and c.metric = m.metric
