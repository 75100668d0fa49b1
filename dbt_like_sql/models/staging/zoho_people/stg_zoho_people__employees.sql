select
    "Zoho_ID" as employee_id,
    "Gender" as gender_answer,
    "Employment_Type" as employment_type,
    cast("Date_of_joining" as date) as joined_on,
    cast("Date_of_exit" as date) as left_on
from {{ source('zoho_people', 'employees') }}
where not _is_deleted
