{{ config(meta={'dimension': 'uniqueness'}) }}
select indicator_id, period, disaggregation
from {{ ref('indicator_values') }}
where quarter = '{{ var("quarter") }}'
group by indicator_id, period, disaggregation
having count(*) > 1
