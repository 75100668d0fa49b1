with periods as ({{ current_periods() }}),

answers as ({{ recommendations() }}),

counted as (

    select
        p.period,
        sum(a.is_promoter) as promoters,
        sum(a.is_detractor) as detractors,
        count(a.period) as answers
    from periods as p
    left join answers as a on a.period = p.period
    group by p.period

),

-- Every class has a row, even one without an answer: a share of zero, not a gap.
cells as (

    select
        period, 'total' as dimension, cast(null as text) as category,
        answers as numerator, answers as denominator, answers as n, cast(null as text) as note
    from counted
    {% for class, count in [('Promoters', 'promoters'), ('Passives', 'answers - promoters - detractors'), ('Detractors', 'detractors')] %}
    union all
    select period, 'recommendation', '{{ class }}', {{ count }}, answers, answers, null
    from counted
    where answers > 0
    {% endfor %}

)

{{ figures(
    'cells', 'percent', 'Nobody answered in this period how likely they are to recommend.',
    unbounded="valued.dimension = 'total'"
) }}
