select
    platform || '|' || content_id as content_key,
    platform,
    account_id,
    content_id,
    title,
    cast((cast(published_at as timestamp with time zone) at time zone 'Europe/Madrid') as date) as published_on
from {{ source('platforms', 'contents') }}
where not _is_deleted
