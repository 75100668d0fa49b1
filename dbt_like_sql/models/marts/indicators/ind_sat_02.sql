with periods as ({{ current_periods() }}),

answers as (

    select p.period, r.event_type, r.score, r.is_valid, r.is_unmapped_label
    from periods as p
    join {{ ref('fct_survey_response') }} as r
        on r.occurred_on >= p.starts_on and r.occurred_on <= p.as_of_on

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        count(case when a.score >= 4 then 1 end) as numerator,
        count(a.score) as denominator,
        count(a.score) as n,
        case
            when count(case when a.is_unmapped_label then 1 end) > 0
                then cast(count(case when a.is_unmapped_label then 1 end) as text)
                    || ' of ' || cast(count(*) as text)
                    || ' answers could not be read and are left out.'
        end as note
    from periods as p
    left join answers as a on a.period = p.period
    group by p.period

    union all

    select
        a.period, 'activity_type', a.event_type,
        count(case when a.score >= 4 then 1 end),
        count(a.score), count(a.score), null
    from answers as a
    group by a.period, a.event_type

)

{{ figures('cells', 'percent', 'No valid answer to the overall question in this period.') }}
