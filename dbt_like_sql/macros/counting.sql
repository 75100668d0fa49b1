{# Distinct things counted in total and by dimension. Shared, so that a total and its cells are counted alike. #}

{#
  facts: table expression with period, the key and one column a dimension.
  loaded: a condition that is true when the data behind the count is there at all; without it a count of
          nothing would read as zero.
  Every region gets a row, also with nothing in it; of other dimensions only the categories met.
#}
{% macro counted_cells(facts, key, dimensions, loaded) %}
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when {{ loaded }} then count(distinct f.{{ key }}) end as numerator,
        cast(null as double precision) as denominator,
        case when {{ loaded }} then count(distinct f.{{ key }}) end as n,
        cast(null as text) as note
    from periods as p
    left join {{ facts }} as f on f.period = p.period
    group by p.period
    {% for dimension in dimensions %}
    union all
    {% if dimension == 'region' %}
    select
        p.period, 'region', r.region,
        case when {{ loaded }} then count(distinct f.{{ key }}) end,
        null,
        case when {{ loaded }} then count(distinct f.{{ key }}) end,
        null
    from periods as p
    cross join {{ ref('dim_region') }} as r
    left join {{ facts }} as f on f.period = p.period and f.region = r.region
    group by p.period, r.region
    {% else %}
    select
        f.period, '{{ dimension }}', f.{{ dimension }}, count(distinct f.{{ key }}), null,
        count(distinct f.{{ key }}), null
    from {{ facts }} as f
    where f.{{ dimension }} is not null
    group by f.period, f.{{ dimension }}
    {% endif %}
    {% endfor %}
{% endmacro %}

{#
  Shares of what a region has, in total and by region.
  counted: table expression with period, region and one column each for the part and the whole; a period or region
           without rows has no share.
  nothing: the note of a region without a whole.
#}
{% macro share_by_region(counted, part, whole, nothing) %}
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(c.{{ part }}) as numerator, sum(c.{{ whole }}) as denominator, sum(c.{{ whole }}) as n,
        cast(null as text) as note
    from periods as p
    left join {{ counted }} as c on c.period = p.period
    group by p.period

    union all

    select
        p.period, 'region', r.region, c.{{ part }}, c.{{ whole }}, c.{{ whole }},
        case when c.{{ whole }} is null then '{{ nothing }}' end
    from periods as p
    cross join {{ ref('dim_region') }} as r
    left join {{ counted }} as c on c.period = p.period and c.region = r.region
{% endmacro %}

{#
  Shares of people by gender. persons: table expression with period and gender, one row per person (or slot).
  Women, men and non-binary over those who stated their gender; the undisclosed over all.
  by_programme: table expression with period, programme and gender, one row per person (or slot) and
                programme; none where they are of no event.
#}
{% macro gender_cells(persons, by_programme=none) %}
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        count(case when x.gender = 'woman' then 1 end) as numerator,
        count(case when x.gender <> 'undisclosed' then 1 end) as denominator,
        count(case when x.gender <> 'undisclosed' then 1 end) as n,
        cast(null as text) as note
    from periods as p
    left join {{ persons }} as x on x.period = p.period
    group by p.period
    {% for code, label in [('woman', 'Woman'), ('man', 'Man'), ('non_binary', 'Non-binary')] %}
    union all
    select
        x.period, 'gender', '{{ label }}',
        count(case when x.gender = '{{ code }}' then 1 end),
        count(case when x.gender <> 'undisclosed' then 1 end),
        count(case when x.gender <> 'undisclosed' then 1 end),
        null
    from {{ persons }} as x
    group by x.period
    {% endfor %}
    union all
    select
        x.period, 'gender', 'Undisclosed',
        count(case when x.gender = 'undisclosed' then 1 end), count(*), count(*), null
    from {{ persons }} as x
    group by x.period
    {% if by_programme %}
    union all
    select
        x.period, 'programme', x.programme,
        count(case when x.gender = 'woman' then 1 end),
        count(case when x.gender <> 'undisclosed' then 1 end),
        count(case when x.gender <> 'undisclosed' then 1 end),
        null
    from {{ by_programme }} as x
    where x.programme is not null
    group by x.period, x.programme
    {% endif %}
{% endmacro %}
