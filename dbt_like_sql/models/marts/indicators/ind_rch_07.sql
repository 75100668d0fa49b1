with periods as ({{ current_periods(months=true) }}),

by_site as (

    select f.period, f.account as site, f.state, f.value as visits, f.days_with_data, f.period_days, f.note
    from {{ ref('fct_account_period') }} as f
    join periods as p on p.period = f.period
    where f.kind = 'web' and f.counts = 'visits'

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(case when s.state = 'missing' then 1 end) = 0 then sum(s.visits) end as numerator,
        cast(null as double precision) as denominator,
        sum(s.days_with_data) as n,
        sum(case when s.visits is not null then s.period_days end) as expected,
        sum(case when s.visits is not null then s.days_with_data end) as covered,
        string_agg(s.site || ': ' || s.note, ' ' order by s.site) as note
    from periods as p
    left join by_site as s on s.period = p.period
    group by p.period

    union all

    select period, 'site', site, visits, null, days_with_data, period_days, days_with_data, note
    from by_site

)

{{ figures('cells', 'count', 'No visits have been loaded for this period.', covers=true, months=true) }}
