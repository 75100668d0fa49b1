{{ config(meta={'dimension': 'validity'}) }}
select response_key
from {{ ref('fct_survey_response') }}
where score < 1 or score > 5
