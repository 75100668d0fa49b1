select
    id as account_id,
    name as account_name,
    member_type,
    coalesce(region, 'Not stated') as region
from {{ source('crm', 'accounts') }}
where not _is_deleted
