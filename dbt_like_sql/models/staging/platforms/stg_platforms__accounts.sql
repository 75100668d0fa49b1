select
    platform,
    account_id,
    name,
    cast(taken_on as date) as taken_on,
    cast(followers as bigint) as followers
from {{ source('platforms', 'accounts') }}
where not _is_deleted
