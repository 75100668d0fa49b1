-- Only for counts: every organisation has one region, 'Not stated' included.
select total.indicator_id, total.period
from {{ ref('indicator_values') }} as total
join {{ ref('indicator_values') }} as cell
    on cell.indicator_id = total.indicator_id and cell.period = total.period and cell.dimension = 'region'
where total.dimension = 'total' and total.quarter = '{{ var("quarter") }}'
group by total.indicator_id, total.period, total.numerator
having sum(cell.numerator) <> total.numerator
