with placed as (

    select
        r.response_key,
        r.tool,
        e.event_id,
        c.account_id,
        coalesce(c.region, 'Not stated') as region,
        coalesce(e.event_type, 'Not known') as event_type,
        r.language,
        r.status,
        r.is_answered,
        s.score,
        r.recommendation,
        case
            when not r.is_gender_asked then 'not_asked'
            when r.gender_key is null then 'not_answered'
            else coalesce(g.code, 'not_recognised')
        end as gender,
        r.has_comment,
        r.answered_on,
        coalesce(e.started_on, r.answered_on) as occurred_on
    from {{ ref('stg_responses') }} as r
    left join {{ ref('dim_event') }} as e on e.event_code = r.event_code
    left join {{ ref('dim_city') }} as c on c.city_key = r.city_key
    left join {{ ref('stg_labels') }} as s on s.scale = 'satisfaction' and s.label_key = r.satisfaction_key
    left join {{ ref('stg_labels') }} as g on g.scale = 'gender' and g.label_key = r.gender_key

)

select
    *,
    answered_on > occurred_on + 30 as is_late,
    cast(extract(year from occurred_on) as text) || '-Q' || cast(extract(quarter from occurred_on) as text) as quarter
from placed
