with periods as ({{ current_periods() }}),

answers as ({{ recommendations() }}),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(a.is_promoter) - sum(a.is_detractor) as numerator,
        count(a.period) as denominator,
        count(a.period) as n,
        {{ sample_variance('100 * (a.is_promoter - a.is_detractor)') }} as variance,
        cast(null as text) as note
    from periods as p
    left join answers as a on a.period = p.period
    group by p.period

    union all

    select
        period, 'activity_type', event_type, sum(is_promoter) - sum(is_detractor), count(*), count(*),
        {{ sample_variance('100 * (is_promoter - is_detractor)') }}, null
    from answers
    group by period, event_type

    union all

    select
        period, 'programme', programme, sum(is_promoter) - sum(is_detractor), count(*), count(*),
        {{ sample_variance('100 * (is_promoter - is_detractor)') }}, null
    from answers
    where programme is not null
    group by period, programme

)

{{ figures('cells', 'net', 'Nobody answered in this period how likely they are to recommend.', scale=[-100, 100]) }}
