select
    id as event_id,
    name as event_name,
    code as event_code,
    event_type,
    lab,
    programme,
    themes,
    lines_of_action,
    format,
    status as event_status,
    cast(organised_by_network as boolean) as is_organised_by_network,
    {{ utc('starts_at') }} as started_at_utc,
    {{ utc('ends_at') }} as ended_at_utc,
    {{ business_day('starts_at') }} as started_on,
    {{ business_day("coalesce(ends_at, starts_at)") }} as ended_on
from {{ source('zoho_crm', 'events') }}
where not _is_deleted
