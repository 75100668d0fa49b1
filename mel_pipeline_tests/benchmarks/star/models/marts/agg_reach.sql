select
    quarter,
    platform,
    count(*) as posts,
    cast(sum(views) as bigint) as views,
    cast(sum(interactions) as bigint) as interactions,
    max(views) as most_views,
    median(views) as median_views,
    count(distinct account_id) as accounts
from {{ ref('fct_post') }}
group by quarter, platform
