{# The day something happened on, in the business time zone: 23:30 UTC on 31 December is next year in Madrid. #}
{% macro business_day(instant) -%}
    cast((cast({{ instant }} as timestamp with time zone) at time zone '{{ var("time_zone") }}') as date)
{%- endmacro %}

{# An instant with an offset as UTC without zone, so that it reads the same in every session. #}
{% macro utc(instant) -%}
    (cast({{ instant }} as timestamp with time zone) at time zone 'UTC')
{%- endmacro %}

{# Whole days from one day to a later one. The casts mark both as days for engines without types. #}
{% macro days_between(first, last) -%}
    (cast({{ last }} as date) - cast({{ first }} as date))
{%- endmacro %}

{# Seconds from one moment to a later one, by parts that every engine has; both are without zone. #}
{% macro seconds_between(first, last) -%}
    (
        86400 * {{ days_between(first, last) }}
        + 3600 * (extract(hour from {{ last }}) - extract(hour from {{ first }}))
        + 60 * (extract(minute from {{ last }}) - extract(minute from {{ first }}))
    )
{%- endmacro %}
