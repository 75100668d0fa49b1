select
    m.platform || '|' || coalesce(a.same_as, m.account_id) as account_key,
    coalesce(p.same_as, m.content_id) as content_id,
    m.metric,
    c.counts,
    c.is_additive,
    m.grain,
    m.starts_on,
    m.ends_before,
    m.value,
    m.availability,
    m.availability in ('given', 'sampled', 'thresholded') as is_given
from {{ ref('stg_platforms__metrics') }} as m
join {{ ref('stg_catalogue__metrics') }} as c on c.platform = m.platform and c.metric = m.metric
left join {{ ref('int_platform_same_posts') }} as p
    on p.platform = m.platform and p.content_id = m.content_id
left join {{ ref('int_platform_same_accounts') }} as a
    on a.platform = m.platform and a.account_id = m.account_id
