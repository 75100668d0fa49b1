with genders as (

    select label, code
    from {{ ref('stg_catalogue__scale_labels') }}
    where scale = 'gender'

)

select
    p.participation_id,
    p.event_id,
    p.contact_id,
    p.account_id,
    -- Without a contact two rows cannot be matched to one person: each counts as its own.
    coalesce(p.contact_id, 'participation ' || p.participation_id) as person_key,
    p.role,
    e.event_type,
    e.lab,
    e.programme,
    coalesce(g.code, 'undisclosed') as gender,
    coalesce(v.region, 'Not stated') as region,
    p.has_attended,
    p.is_survey_invited,
    e.is_held,
    e.is_organised_by_network,
    coalesce(
        v.is_member
        and exists (
            select 1
            from {{ ref('dim_membership') }} as s
            where s.account_id = p.account_id and {{ covers('s', 'e.started_on') }}
        ),
        false
    ) as is_member_on_day,
    e.started_on
from {{ ref('stg_zoho_crm__participations') }} as p
join {{ ref('dim_event') }} as e on e.event_id = p.event_id
left join {{ ref('dim_member_version') }} as v
    on v.account_id = p.account_id and {{ valid_on('v', 'e.started_on') }}
left join {{ ref('stg_zoho_crm__contacts') }} as c on c.contact_id = p.contact_id
left join genders as g on g.label = lower(trim(c.gender_answer))
