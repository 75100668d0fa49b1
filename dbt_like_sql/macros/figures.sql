{# Every indicator ends in `figures`: one place that decides the columns, the value and what "not available" means. #}

{#
  The periods of the quarter being calculated: the quarter itself, and the year when the fourth quarter closes it.
  months: its months as well, of flows whose source has days: they add up to the quarter.
#}
{% macro current_periods(months=false) %}
    select period, grain, quarter, starts_on, ends_before, as_of_on
    from {{ ref('int_period') if months else ref('dim_period') }}
    where quarter = '{{ var("quarter") }}'
{% endmacro %}

{# How many quarters each period has, and for how many the platforms were queried: posts come quarter by quarter. #}
{% macro asked_quarters() %}
    select
        p.period,
        count(q.period) as quarters,
        count(f.starts_on) as quarters_asked
    from periods as p
    join {{ ref('dim_period') }} as q
        on q.grain = 'quarter' and q.starts_on >= p.starts_on and q.ends_before <= p.ends_before
    left join (
        select distinct starts_on, ends_before from {{ ref('stg_platforms__metrics') }} where grain = 'quarter'
    ) as f on f.starts_on = q.starts_on and f.ends_before = q.ends_before
    group by p.period
{% endmacro %}

{# Which accounts are not in a sum over accounts, and why. cells: alias with platform, account and state. #}
{% macro gaps(cells, counted) %}
        nullif(
            trim(concat(
                'No {{ counted }} from: '
                    || string_agg(
                        case when {{ cells }}.state = 'missing' then {{ cells }}.platform || ' ' || {{ cells }}.account end,
                        ', ' order by {{ cells }}.platform, {{ cells }}.account
                    ) || '. ',
                'Not counted, because the platform does not tell this period: '
                    || string_agg(
                        case
                            when {{ cells }}.state = 'not_offered' then {{ cells }}.platform || ' ' || {{ cells }}.account
                        end,
                        ', ' order by {{ cells }}.platform, {{ cells }}.account
                    ) || '. ',
                'Not counted, because its data begin later: '
                    || string_agg(
                        case
                            when {{ cells }}.state = 'begins_later' then {{ cells }}.platform || ' ' || {{ cells }}.account
                        end,
                        ', ' order by {{ cells }}.platform, {{ cells }}.account
                    ) || '. ',
                'Not counted, because the account could not be read: '
                    || string_agg(
                        case
                            when {{ cells }}.state = 'no_access' then {{ cells }}.platform || ' ' || {{ cells }}.account
                        end,
                        ', ' order by {{ cells }}.platform, {{ cells }}.account
                    ) || '.'
            )),
            ''
        )
{% endmacro %}

{#
  Rows of an indicator from a table expression with period, dimension, category, numerator, denominator, n, note.
  kind: count   value = numerator
        percent value = 100 * numerator / denominator
        net     value = 100 * numerator / denominator, from -100 to 100
        mean    value = numerator / denominator; of this and of net the table expression has the sample variance of the values, too
  scale: of a mean or net score, its lowest and highest possible value
  unbounded: a condition on dimension or category; true where a share cannot differ, so that it has no interval
  A missing numerator, or a missing or zero denominator, gives no value: the row says not_available and why.
  covers: the table expression has expected and covered, too: of how many days (or issues, or agreements) the figure
          should be, and of how many it is; empty where it is whole by nature
  months: the periods of the table expression are those of current_periods(months=true)
  low, high: the 95 % interval of a share or mean (see the macro bounds); a count has none.
#}
{% macro figures(cells, kind, missing, scale=none, unbounded='false', covers=false, months=false) %}
select
    valued.period,
    p.grain,
    p.quarter,
    valued.dimension,
    valued.category,
    valued.value,
    valued.numerator,
    valued.denominator,
    valued.n,
    {{ bounds('valued', kind, scale, unbounded) | trim }},
    valued.variance,
    valued.expected,
    valued.covered,
    case when valued.value is null then 'not_available' else 'ok' end as status,
    case when valued.value is null then coalesce(valued.note, '{{ missing }}') else valued.note end as note
from (
    select
        period,
        cast(dimension as text) as dimension,
        cast(category as text) as category,
        {% if kind == 'count' -%}
        cast(numerator as double precision) as value,
        {% elif kind in ('percent', 'net') -%}
        100.0 * cast(numerator as double precision) / nullif(cast(denominator as double precision), 0) as value,
        {% else -%}
        cast(numerator as double precision) / nullif(cast(denominator as double precision), 0) as value,
        {% endif -%}
        cast(numerator as double precision) as numerator,
        cast(denominator as double precision) as denominator,
        cast(n as bigint) as n,
        cast({{ 'variance' if kind in ('mean', 'net') else 'null' }} as double precision) as variance,
        cast({{ 'expected' if covers else 'null' }} as bigint) as expected,
        cast({{ 'covered' if covers else 'null' }} as bigint) as covered,
        cast(note as text) as note
    from {{ cells }}
) as valued
join ({{ current_periods(months) }}) as p on p.period = valued.period
{% endmacro %}
