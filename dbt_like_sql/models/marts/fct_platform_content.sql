with since_publication as (

    select
        account_key,
        content_id,
        max(case when counts = 'views' then value end) as views,
        max(case when counts = 'reach' then value end) as reach
    from {{ ref('fct_platform_metric') }}
    where grain = 'lifetime'
    group by account_key, content_id

)

select
    c.platform || '|' || c.content_id as content_key,
    a.account_key,
    c.content_id,
    a.platform_title,
    a.kind,
    a.account,
    c.content_kind,
    c.title,
    c.published_on,
    cast(s.views as bigint) as views,
    cast(s.reach as bigint) as reach
from {{ ref('stg_platforms__contents') }} as c
left join {{ ref('int_platform_same_posts') }} as p on p.platform = c.platform and p.content_id = c.content_id
left join {{ ref('int_platform_same_accounts') }} as n on n.platform = c.platform and n.account_id = c.account_id
join {{ ref('dim_platform_account') }} as a
    on a.platform = c.platform and a.account_id = coalesce(n.same_as, c.account_id)
left join since_publication as s on s.account_key = a.account_key and s.content_id = c.content_id
where p.content_id is null -- another name of a post that is a row of its own
