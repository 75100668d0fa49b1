select
    d.account_id,
    coalesce(a.platform, 'Instagram') as platform,
    coalesce(a.username, d.account_id) as account,
    d.net_new_followers,
    d.followers_on
from {{ ref('stg_instagram__daily_followers') }} as d
left join {{ ref('dim_social_account') }} as a on a.account_id = d.account_id
