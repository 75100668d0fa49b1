{{ config(severity='warn', meta={'dimension': 'validity'}) }}
select distinct a.list_name || ': ' || a.gender_answer as gender_answer
from {{ ref('stg_attendance_lists__attendances') }} as a
left join {{ ref('stg_catalogue__scale_labels') }} as g on g.scale = 'gender' and g.label_key = a.gender_key
where a.gender_key is not null and g.label_key is null
