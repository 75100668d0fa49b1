select
    id as participation_id,
    event as event_id,
    contact as contact_id,
    account as account_id,
    role,
    cast(attended as boolean) as has_attended,
    coalesce(cast(survey_invited as boolean), false) as is_survey_invited
from {{ source('zoho_crm', 'participations') }}
where not _is_deleted
