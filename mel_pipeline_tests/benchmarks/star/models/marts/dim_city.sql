select n.city_key, a.account_id, a.account_name, a.member_type, a.region
from {{ source('identity', 'city_names') }} as n
join {{ ref('stg_accounts') }} as a on a.account_id = n.account_id
where not n._is_deleted
