{%- set year, number = var('first_quarter').split('-Q') -%}
{%- set first_day = year ~ '-' ~ '%02d' | format(3 * (number | int) - 2) ~ '-01' -%}
with quarters as (

    select
        cast(series.day as date) as starts_on,
        cast(series.day + interval '3 months' as date) as ends_before
    from generate_series(
        cast('{{ first_day }}' as timestamp), cast('{{ var("today") }}' as timestamp), interval '3 months'
    ) as series(day)

),

months as (

    select
        cast(series.day as date) as starts_on,
        cast(series.day + interval '1 month' as date) as ends_before
    from generate_series(
        cast('{{ first_day }}' as timestamp), cast('{{ var("today") }}' as timestamp), interval '1 month'
    ) as series(day)

),

named as (

    select
        cast(extract(year from starts_on) as integer) as year,
        cast(extract(quarter from starts_on) as integer) as number,
        starts_on,
        ends_before
    from quarters

),

periods as (

    select
        cast(year as text) || '-Q' || cast(number as text) as period,
        'quarter' as grain,
        cast(year as text) || '-Q' || cast(number as text) as quarter,
        starts_on,
        ends_before
    from named

    union all

    -- Of flows whose source has days; readers of quarters and years (dim_period) do not see them.
    select
        cast(extract(year from starts_on) as text) || '-' || lpad(cast(extract(month from starts_on) as text), 2, '0'),
        'month',
        cast(extract(year from starts_on) as text) || '-Q' || cast(extract(quarter from starts_on) as text),
        starts_on,
        ends_before
    from months

    union all

    -- A year exists once its fourth quarter has begun, and only if its first quarter exists, too.
    select
        cast(last.year as text), 'year', cast(last.year as text) || '-Q4', first.starts_on, last.ends_before
    from named as last
    join named as first on first.year = last.year and first.number = 1
    where last.number = 4

)

select
    period,
    grain,
    quarter,
    starts_on,
    ends_before,
    least(ends_before - 1, cast('{{ var("today") }}' as date)) as as_of_on
from periods
