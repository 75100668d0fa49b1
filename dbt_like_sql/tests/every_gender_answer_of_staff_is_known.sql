{{ config(severity='warn', meta={'dimension': 'validity'}) }}
select s.employee_id
from {{ ref('fct_staff') }} as f
join {{ ref('stg_zoho_people__employees') }} as s on s.employee_id = f.employee_id
where s.gender_answer is not null
    and lower(trim(s.gender_answer)) not in (
        select label from {{ ref('stg_catalogue__scale_labels') }} where scale = 'gender'
    )
