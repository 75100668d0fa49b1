select
    account_id,
    username,
    cast(taken_on as date) as taken_on,
    cast(followers_count as bigint) as followers_count
from {{ source('instagram', 'accounts') }}
where not _is_deleted
