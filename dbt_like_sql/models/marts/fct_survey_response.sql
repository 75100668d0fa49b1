with labels as (

    -- The scale may hold a label with and without accents: here it is one label.
    select
        scale,
        label_key,
        min(kind) as kind,
        min(score) as score,
        min(code) as code
    from {{ ref('stg_catalogue__scale_labels') }}
    group by scale, label_key

),

-- Surveys with an answer that nothing explains: the others may be of another scale too, so none is scored.
incomplete as (

    select r.tool, r.survey, min(r.satisfaction_answer) as unknown_answer
    from {{ ref('stg_surveys__responses') }} as r
    left join labels as l on l.scale = 'satisfaction' and l.label_key = r.satisfaction_key
    where r.satisfaction_answer is not null and r.satisfaction_kind is null and l.label_key is null
    group by r.tool, r.survey

),

events as (

    -- A code used twice would count its answers twice: the held event wins, then the earliest.
    select
        event_id,
        event_code,
        event_type,
        programme,
        started_on,
        row_number() over (
            partition by event_code order by case when is_held then 0 else 1 end, started_on, event_id
        ) as place
    from {{ ref('dim_event') }}

)

select
    r.response_key,
    r.tool,
    r.response_id,
    e.event_id,
    r.event_code,
    r.survey,
    r.status,
    r.language,
    m.account_id,
    m.region,
    coalesce(e.event_type, 'Not known') as event_type,
    coalesce(
        e.programme, (select max(case when programme is not null then 'Not stated' end) from {{ ref('dim_event') }})
    ) as programme,
    r.satisfaction_answer,
    -- The survey's own codebook takes precedence over the common scale.
    case
        when i.survey is not null then null
        when r.satisfaction_kind is null then l.score
        else r.satisfaction_score
    end as score,
    r.recommendation,
    case
        when not r.is_gender_asked then 'not_asked'
        when r.gender_answer is null then 'not_answered'
        else coalesce(g.code, 'not_recognised')
    end as gender,
    i.survey is null
    and case when r.satisfaction_kind is null then l.score else r.satisfaction_score end is not null as is_valid,
    coalesce(coalesce(r.satisfaction_kind, l.kind) = 'non_answer', false) as is_non_answer,
    r.satisfaction_answer is not null and r.satisfaction_kind is null and l.label_key is null as is_unmapped_label,
    -- Why an answer is withheld: it, or another one of its survey, has no known meaning.
    case
        when r.satisfaction_answer is null then null
        when r.satisfaction_kind is null and l.label_key is null then r.satisfaction_answer
        else i.unknown_answer
    end as unknown_answer,
    e.event_id is not null as is_event_known,
    -- An answer belongs to the quarter of its event, however late it arrives.
    coalesce(e.started_on, cast(r.completed_at as date), cast(r.started_at as date)) as occurred_on
from {{ ref('stg_surveys__responses') }} as r
left join events as e on e.event_code = r.event_code and e.place = 1
left join labels as l on l.scale = 'satisfaction' and l.label_key = r.satisfaction_key
left join incomplete as i on i.tool = r.tool and i.survey = r.survey
left join labels as g on g.scale = 'gender' and g.label_key = r.gender_key
left join {{ ref('stg_identity__city_names') }} as c
    on c.city_key = r.city_key and c.country = coalesce(r.country, '')
left join {{ ref('dim_member') }} as m on m.account_id = c.account_id
