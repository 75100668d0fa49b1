with ranked as (

    select
        quarter, platform, content_key, account_id, views,
        row_number() over (partition by quarter, platform order by views desc, content_key) as place
    from {{ ref('fct_post') }}
    where views is not null

)

select quarter, platform, place, content_key, account_id, views
from ranked
where place <= 10
