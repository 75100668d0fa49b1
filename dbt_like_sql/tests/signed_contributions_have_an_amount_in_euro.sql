{{ config(severity='warn', meta={'dimension': 'validity'}) }}
select deal_id
from {{ ref('fct_contribution') }}
where is_signed and (amount_converted is null or signed_on is null)
