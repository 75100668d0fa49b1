with periods as ({{ current_periods() }}),

-- Days to expect: the whole period, or up to yesterday while it is open.
expected as (

    select
        period,
        starts_on,
        ends_before,
        least(ends_before - 1, cast('{{ var("today") }}' as date) - 1) - starts_on + 1 as days
    from periods

),

by_site as (

    select
        e.period,
        v.site,
        e.days,
        sum(v.visits) as visits,
        count(v.visited_on) as days_asked,
        count(v.visits) as days_with_data
    from expected as e
    join {{ ref('fct_site_visits') }} as v on v.visited_on >= e.starts_on and v.visited_on < e.ends_before
    group by e.period, v.site, e.days

),

-- A year of which one quarter was never asked for is not a year. A tenth is let pass for days not yet asked.
judged as (

    select
        *,
        days_asked >= 0.9 * days as is_complete,
        case
            when days_asked < 0.9 * days
                then 'Asked for on ' || cast(days_asked as text) || ' of ' || cast(days as text) || ' days only.'
            when days_with_data = 0 then 'No day with data.'
            when days_with_data < days
                then cast(days - days_with_data as text) || ' of ' || cast(days as text) || ' days have no data.'
        end as site_note
    from by_site

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(j.site) = count(case when j.is_complete then 1 end) then sum(j.visits) end as numerator,
        cast(null as double precision) as denominator,
        sum(j.days_with_data) as n,
        string_agg(j.site || ': ' || j.site_note, ' ' order by j.site) as note
    from periods as p
    left join judged as j on j.period = p.period
    group by p.period

    union all

    select period, 'site', site, case when is_complete then visits end, null, days_with_data, site_note
    from judged

)

{{ figures('cells', 'count', 'No visits have been loaded for this period.') }}
