select
    id as event_id,
    "Name" as event_name,
    "Event_Code" as event_code,
    "Event_Type" as event_type,
    "Lab" as lab,
    "Themes" as themes,
    "Line_of_Action" as lines_of_action,
    "Format" as format,
    "Event_Status" as event_status,
    cast("Organised_By_Network" as boolean) as is_organised_by_network,
    {{ utc('"Start_Time"') }} as started_at_utc,
    {{ utc('"End_Time"') }} as ended_at_utc,
    {{ business_day('"Start_Time"') }} as started_on
from {{ source('zoho_crm', 'events') }}
where not _is_deleted
