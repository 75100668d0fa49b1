{{ config(meta={'dimension': 'completeness'}) }}
select indicator_id, period
from {{ ref('indicator_values') }}
where quarter = '{{ var("quarter") }}'
group by indicator_id, period
having count(case when dimension = 'total' then 1 end) <> 1
