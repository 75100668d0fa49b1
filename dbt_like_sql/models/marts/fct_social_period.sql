select
    i.account_id,
    coalesce(a.platform, 'Instagram') as platform,
    coalesce(a.username, i.account_id) as account,
    i.metric,
    i.starts_on,
    i.ends_before,
    i.value
from {{ ref('stg_instagram__period_insights') }} as i
left join {{ ref('dim_social_account') }} as a on a.account_id = i.account_id
