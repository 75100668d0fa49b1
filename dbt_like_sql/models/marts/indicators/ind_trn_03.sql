with periods as ({{ current_periods() }}),

lists as ({{ training_lists() }}),

-- A woman of two programmes stands in both.
trainees as ({{ trainees() }}),

counted as (

    select
        l.period, l.dimension, l.category, l.is_known, l.expected, l.covered, l.note,
        count(distinct t.person_key) as people,
        count(distinct case when t.gender = 'woman' then t.person_key end) as women,
        count(distinct case when t.gender <> 'undisclosed' then t.person_key end) as stated
    from lists as l
    left join trainees as t on t.period = l.period and t.dimension = l.dimension and t.category = l.category
    group by l.period, l.dimension, l.category, l.is_known, l.expected, l.covered, l.note

),

cells as (

    select
        period, dimension, nullif(category, '') as category,
        -- People of whom nobody said a gender are no zero women.
        case when is_known and (stated > 0 or people = 0) then women end as numerator,
        case when is_known then stated end as denominator,
        case when is_known then stated end as n,
        expected, covered,
        case when stated > 0 or people = 0 then note end as note
    from counted

)

{{ figures('cells', 'count', 'No list of a training in this period says the gender of those who came.', covers=true) }}
