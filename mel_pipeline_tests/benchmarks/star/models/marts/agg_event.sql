select
    e.event_id,
    e.event_type,
    e.quarter,
    count(r.response_key) as responses,
    count(distinct r.account_id) as cities,
    count(case when r.is_late then 1 end) as late,
    cast(sum(r.score) as double precision) / nullif(count(r.score), 0) as mean_score,
    median(r.score) as median_score,
    min(r.answered_on) as first_on,
    max(r.answered_on) as last_on
from {{ ref('dim_event') }} as e
left join {{ ref('fct_response') }} as r on r.event_id = e.event_id
group by e.event_id, e.event_type, e.quarter
