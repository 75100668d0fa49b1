{{ config(severity='warn', meta={'dimension': 'validity'}) }}
select response_key
from {{ ref('fct_survey_response') }}
where is_unmapped_label
