with labels as (

    select label, kind, score
    from {{ ref('stg_catalogue__scale_labels') }}
    where scale = 'satisfaction'

),

events as (

    -- A code used twice would count its answers twice: the held event wins, then the earliest.
    select
        event_id,
        event_code,
        event_type,
        started_on,
        row_number() over (
            partition by event_code order by case when is_held then 0 else 1 end, started_on, event_id
        ) as place
    from {{ ref('dim_event') }}

)

select
    r.response_id,
    e.event_id,
    r.event_code,
    r.survey,
    r.status,
    r.language,
    coalesce(e.event_type, 'Not known') as event_type,
    r.satisfaction_answer,
    l.score,
    r.recommendation,
    l.score is not null as is_valid,
    coalesce(l.kind = 'non_answer', false) as is_non_answer,
    r.satisfaction_answer is not null and l.label is null as is_unmapped_label,
    e.event_id is not null as is_event_known,
    -- An answer belongs to the quarter of its event, however late it comes.
    coalesce(e.started_on, cast(r.completed_at as date), cast(r.started_at as date)) as occurred_on
from {{ ref('stg_zoho_survey__responses') }} as r
left join events as e on e.event_code = r.event_code and e.place = 1
left join labels as l on l.label = lower(trim(r.satisfaction_answer))
