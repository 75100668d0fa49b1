{{ config(severity='warn', meta={'dimension': 'validity'}) }}
select account_id
from {{ ref('dim_membership') }}
where ended_on < began_on
