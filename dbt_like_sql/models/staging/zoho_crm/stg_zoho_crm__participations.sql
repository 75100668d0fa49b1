select
    id as participation_id,
    "Event" as event_id,
    "Contact" as contact_id,
    "Account" as account_id,
    "Role" as role,
    cast("Attended" as boolean) as has_attended,
    coalesce(cast("Survey_Invited" as boolean), false) as is_survey_invited
from {{ source('zoho_crm', 'participations') }}
where not _is_deleted
