select
    quarter,
    language,
    count(recommendation) as answers,
    count(case when recommendation >= 9 then 1 end) as promoters,
    count(case when recommendation <= 6 then 1 end) as detractors,
    100.0e0 * (count(case when recommendation >= 9 then 1 end) - count(case when recommendation <= 6 then 1 end))
        / nullif(count(recommendation), 0) as net_promoter_score
from {{ ref('fct_response') }}
group by quarter, language
