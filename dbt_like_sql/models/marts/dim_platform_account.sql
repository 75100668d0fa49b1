with recent as (

    select
        platform,
        account_id,
        name,
        row_number() over (partition by platform, account_id order by taken_on desc nulls last) as recency
    from {{ ref('stg_platforms__accounts') }}

),

met as (

    select platform, account_id from {{ ref('stg_platforms__accounts') }}
    union
    select platform, account_id from {{ ref('stg_platforms__metrics') }}

)

select
    m.platform || '|' || m.account_id as account_key,
    m.platform,
    coalesce(p.platform_title, m.platform) as platform_title,
    p.kind,
    m.account_id,
    coalesce(r.name, m.account_id) as account
from met as m
left join recent as r on r.platform = m.platform and r.account_id = m.account_id and r.recency = 1
left join {{ ref('stg_catalogue__platforms') }} as p on p.platform = m.platform
left join {{ ref('int_platform_same_accounts') }} as n on n.platform = m.platform and n.account_id = m.account_id
where n.account_id is null
