select
    event_id,
    event_code,
    event_name,
    event_type,
    case when event_type = 'Solutions Lab' then coalesce(lab, event_name) end as lab,
    -- Where programmes are recorded, an event of none is "Not stated", so that programmes add up to the total.
    coalesce(programme, case when max(programme) over () is not null then 'Not stated' end) as programme,
    format,
    event_status,
    event_status = 'Held' as is_held,
    is_organised_by_network,
    started_at_utc,
    started_on,
    themes,
    lines_of_action
from {{ ref('stg_zoho_crm__events') }}
