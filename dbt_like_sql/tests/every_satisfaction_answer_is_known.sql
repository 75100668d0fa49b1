{{ config(severity='warn') }}
select response_key
from {{ ref('fct_survey_response') }}
where is_unmapped_label
