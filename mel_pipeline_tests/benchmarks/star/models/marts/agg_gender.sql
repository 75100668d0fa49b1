with counted as (

    select quarter, event_type, gender, count(*) as responses
    from {{ ref('fct_response') }}
    where gender <> 'not_asked'
    group by quarter, event_type, gender

)

select
    quarter,
    event_type,
    gender,
    responses,
    100.0e0 * responses / cast(sum(responses) over (partition by quarter, event_type) as double precision) as share_pct
from counted
