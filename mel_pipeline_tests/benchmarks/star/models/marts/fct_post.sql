with figures as (

    select
        platform,
        content_id,
        max(case when counts = 'views' then value end) as views,
        max(case when counts = 'reach' then value end) as reach,
        cast(sum(case when counts = 'interactions' then value end) as bigint) as interactions
    from {{ ref('stg_metrics') }}
    where grain = 'lifetime'
    group by platform, content_id

)

select
    c.content_key,
    c.platform,
    c.account_id,
    c.title,
    c.published_on,
    cast(extract(year from c.published_on) as text) || '-Q' || cast(extract(quarter from c.published_on) as text) as quarter,
    f.views,
    f.reach,
    f.interactions
from {{ ref('stg_contents') }} as c
left join figures as f on f.platform = c.platform and f.content_id = c.content_id
