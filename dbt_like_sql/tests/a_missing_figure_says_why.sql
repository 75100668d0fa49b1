{{ config(meta={'dimension': 'completeness'}) }}
select indicator_id, period, disaggregation
from {{ ref('indicator_values') }}
where quarter = '{{ var("quarter") }}'
    and ((status = 'not_available') <> (value is null)
    or (status = 'not_available' and note is null))
