{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='quarter', on_schema_change='fail') }}
{% for model in var('indicator_models') %}
{% if not loop.first %}union all{% endif %}
select
    '{{ model[4:] | upper | replace("_", "-") }}' as indicator_id,
    period,
    grain,
    quarter,
    case when dimension = 'total' then 'total' else dimension || '=' || category end as disaggregation,
    dimension,
    category,
    value,
    numerator,
    denominator,
    n,
    low,
    high,
    variance,
    expected,
    covered,
    status,
    note
from {{ ref(model) }}
where quarter = '{{ var("quarter") }}'
{% endfor %}

union all

select
    indicator_id,
    period,
    grain,
    quarter,
    case when dimension = 'total' then 'total' else dimension || '=' || category end as disaggregation,
    dimension,
    category,
    value,
    numerator,
    denominator,
    n,
    low,
    high,
    variance,
    expected,
    covered,
    status,
    note
from {{ ref('manual_values') }}
where quarter = '{{ var("quarter") }}'
