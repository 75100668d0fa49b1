select
    media_id,
    account_id,
    caption,
    media_type,
    media_product_type,
    cast(views as bigint) as views,
    cast(reach as bigint) as reach,
    {{ business_day('"timestamp"') }} as published_on
from {{ source('instagram', 'media') }}
where not _is_deleted
