select
    id as contact_id,
    account as account_id,
    gender as gender_answer,
    preferred_language
from {{ source('zoho_crm', 'contacts') }}
where not _is_deleted
