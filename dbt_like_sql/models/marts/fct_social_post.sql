select
    p.media_id,
    p.account_id,
    coalesce(a.platform, 'Instagram') as platform,
    coalesce(a.username, p.account_id) as account,
    p.media_type,
    p.caption,
    p.views,
    p.reach,
    p.published_on
from {{ ref('stg_instagram__media') }} as p
left join {{ ref('dim_social_account') }} as a on a.account_id = p.account_id
