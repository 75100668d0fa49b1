{{ config(severity='warn') }}
select response_key
from {{ ref('fct_survey_response') }}
where event_code is not null and not is_event_known
