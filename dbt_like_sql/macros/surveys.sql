{#
  Cells of a figure about the overall question, in all, by kind of activity and by programme.
  An answer that no scale knows withholds the figure: left out, it might be all the bad ones. It is listed. The
  other answers of its survey are withheld with it, in every period: their scale is not known whole.
#}
{% macro satisfaction_cells(numerator) %}
answers as (

    select
        p.period,
        r.event_type,
        r.programme,
        r.score,
        r.unknown_answer as unmapped,
        case when r.is_unmapped_label then 1 else 0 end as answered
    from periods as p
    join {{ ref('fct_survey_response') }} as r
        on r.occurred_on >= p.starts_on and r.occurred_on <= p.as_of_on
    where r.satisfaction_answer is not null

),

-- Each answer once for the total, once for its kind of activity and once for its programme.
placed as (

    select period, 'total' as dimension, cast(null as text) as category, score, unmapped, answered from answers
    union all
    select period, 'activity_type', event_type, score, unmapped, answered from answers
    union all
    select period, 'programme', programme, score, unmapped, answered from answers where programme is not null

),

unmapped as (

    select period, dimension, category, unmapped, sum(answered) as times
    from placed
    where unmapped is not null
    group by period, dimension, category, unmapped

),

listed as (

    select
        period,
        dimension,
        coalesce(category, '') as category,
        string_agg(
            '''' || unmapped || '''' || case when times > 0 then ' (' || cast(times as text) || ')' else '' end,
            ', ' order by times desc, unmapped
        ) as labels
    from unmapped
    group by period, dimension, coalesce(category, '')

),

counted as (

    select
        period, dimension, coalesce(category, '') as category,
        {{ numerator }} as numerator,
        count(a.score) as denominator,
        {{ sample_variance('a.score') }} as variance
    from placed as a
    group by period, dimension, coalesce(category, '')

),

-- A period without any answer still has a total row.
places as (

    select period, 'total' as dimension, '' as category from periods
    union
    select period, dimension, category from counted

),

cells as (

    select
        k.period,
        k.dimension,
        nullif(k.category, '') as category,
        case when u.labels is null then c.numerator end as numerator,
        case when u.labels is null then coalesce(c.denominator, 0) end as denominator,
        coalesce(c.denominator, 0) as n,
        case when u.labels is null then c.variance end as variance,
        'Withheld: no scale knows the answers ' || u.labels || '. Give them a score in a codebook or in scales.yml.' as note
    from places as k
    left join counted as c on c.period = k.period and c.dimension = k.dimension and c.category = k.category
    left join listed as u on u.period = k.period and u.dimension = k.dimension and u.category = k.category

)
{% endmacro %}
