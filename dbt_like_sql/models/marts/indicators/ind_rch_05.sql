with periods as ({{ current_periods() }}),

-- A year is only known if each of its quarters was requested.
asked as ({{ asked_quarters() }}),

cells as (

    select
        a.period, 'total' as dimension, cast(null as text) as category,
        case when a.quarters = a.quarters_asked then count(distinct c.content_key) end as numerator,
        cast(null as double precision) as denominator,
        case when a.quarters = a.quarters_asked then count(distinct c.content_key) end as n,
        case
            when a.quarters > a.quarters_asked
                then cast(a.quarters - a.quarters_asked as text) || ' of ' || cast(a.quarters as text)
                    || ' quarters have not been loaded.'
        end as note
    from asked as a
    join periods as p on p.period = a.period
    left join {{ ref('fct_campaign_post') }} as c
        on c.campaign_id = 'mayor_interviews' and c.published_on >= p.starts_on and c.published_on < p.ends_before
    group by a.period, a.quarters, a.quarters_asked

)

{{ figures('cells', 'count', 'Posts of this period have not been loaded.') }}
