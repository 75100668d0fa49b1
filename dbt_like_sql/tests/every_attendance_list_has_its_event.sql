{{ config(severity='warn', meta={'dimension': 'validity'}) }}
select list_name || ': ' || trouble as list_name
from {{ ref('int_attendance_event') }}
where trouble is not null
