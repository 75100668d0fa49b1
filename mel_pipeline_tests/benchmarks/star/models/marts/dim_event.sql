select
    event_id,
    event_code,
    event_type,
    is_held,
    started_on,
    cast(extract(year from started_on) as text) || '-Q' || cast(extract(quarter from started_on) as text) as quarter
from {{ ref('stg_events') }}
