select
    quarter,
    region,
    count(*) as responses,
    count(score) as valid,
    count(case when score >= 4 then 1 end) as satisfied,
    100.0e0 * count(case when score >= 4 then 1 end) / nullif(count(score), 0) as satisfied_pct,
    cast(sum(score) as double precision) / nullif(count(score), 0) as mean_score
from {{ ref('fct_response') }}
group by quarter, region
