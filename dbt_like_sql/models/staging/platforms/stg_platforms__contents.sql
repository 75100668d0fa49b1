select
    platform,
    account_id,
    content_id,
    kind as content_kind,
    title,
    {{ utc('published_at') }} as published_at,
    {{ business_day('published_at') }} as published_on
from {{ source('platforms', 'contents') }}
where not _is_deleted
