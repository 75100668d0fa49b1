{{ config(severity='warn') }}
select response_id
from {{ ref('fct_survey_response') }}
where is_unmapped_label
