with genders as (

    select label, code
    from {{ ref('stg_catalogue__scale_labels') }}
    where scale = 'gender'

)

select
    s.employee_id,
    s.employment_type,
    coalesce(g.code, 'undisclosed') as gender,
    s.employment_type in ('Staff', 'Secondee') as is_counted,
    s.joined_on,
    s.left_on
from {{ ref('stg_zoho_people__employees') }} as s
left join genders as g on g.label = lower(trim(s.gender_answer))
