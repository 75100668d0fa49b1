with periods as ({{ current_periods() }}),

-- Issues of the quarter in which the period closes.
issues as (

    select p.period, c.platform_title, s.recipients
    from periods as p
    join periods as q on q.grain = 'quarter'
    join {{ ref('fct_platform_content') }} as c
        on c.kind = 'newsletter' and c.published_on >= q.starts_on and c.published_on <= q.as_of_on
    join (
        select account_key, content_id, max(value) as recipients
        from {{ ref('fct_platform_metric') }}
        where grain = 'lifetime' and counts = 'sent' and value is not null
        group by account_key, content_id
    ) as s on s.account_key = c.account_key and s.content_id = c.content_id

),

-- The largest issue, not the sum: most readers receive every issue of a service.
by_platform as (

    select period, platform_title, max(recipients) as recipients
    from issues
    group by period, platform_title

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(b.recipients) as numerator,
        cast(null as double precision) as denominator,
        count(b.recipients) as n,
        cast(null as text) as note
    from periods as p
    left join by_platform as b on b.period = p.period
    group by p.period

    union all

    select period, 'platform', platform_title, recipients, null, 1, null
    from by_platform

)

{{ figures('cells', 'count', 'No newsletter with counts was sent in this period, or none has been loaded.') }}
