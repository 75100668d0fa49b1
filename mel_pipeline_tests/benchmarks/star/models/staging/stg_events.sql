select
    id as event_id,
    code as event_code,
    event_type,
    status = 'Held' as is_held,
    cast((cast(starts_at as timestamp with time zone) at time zone 'Europe/Madrid') as date) as started_on
from {{ source('crm', 'events') }}
where not _is_deleted
