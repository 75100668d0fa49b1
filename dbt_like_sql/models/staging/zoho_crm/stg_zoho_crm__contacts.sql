select
    id as contact_id,
    "Account_Name" as account_id,
    "Gender" as gender_answer,
    "Preferred_Language" as preferred_language
from {{ source('zoho_crm', 'contacts') }}
where not _is_deleted
