{{ config(severity='warn') }}
select account_id
from {{ ref('dim_member') }}
where left_on < joined_on
