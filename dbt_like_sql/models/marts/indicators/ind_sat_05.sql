with periods as ({{ current_periods() }}),

{{ satisfaction_cells('count(a.score)') }},

-- Every score has a row, even one that nobody gave: a share of zero, not a gap.
spread as (

    select period, dimension, category, numerator, denominator, n, note
    from cells
    where dimension = 'total'
    {% for score in ['1', '2', '3', '4', '5'] %}
    union all
    select
        c.period, 'answer', '{{ score }}',
        case
            when c.numerator is not null
                then (select count(*) from answers as a where a.period = c.period and a.score = {{ score }})
        end,
        c.denominator, c.n, c.note
    from cells as c
    where c.dimension = 'total' and c.n > 0
    {% endfor %}

)

{{ figures(
    'spread', 'percent', 'No valid answer to the overall question in this period.',
    unbounded="valued.dimension = 'total'"
) }}
