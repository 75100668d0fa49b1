select
    platform || '|' || account_id as account_key,
    taken_on,
    followers
from {{ ref('stg_platforms__accounts') }}
where followers is not null
