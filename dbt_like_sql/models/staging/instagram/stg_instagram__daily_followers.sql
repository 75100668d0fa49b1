select
    account_id,
    cast("day" as date) as followers_on,
    cast(follower_count as bigint) as net_new_followers
from {{ source('instagram', 'daily_followers') }}
where not _is_deleted
