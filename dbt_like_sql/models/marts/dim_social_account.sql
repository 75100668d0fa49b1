with recent as (

    select
        account_id,
        username,
        row_number() over (partition by account_id order by taken_on desc) as recency
    from {{ ref('stg_instagram__accounts') }}

)

select account_id, 'Instagram' as platform, username
from recent
where recency = 1
