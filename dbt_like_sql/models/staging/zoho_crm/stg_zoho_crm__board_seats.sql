select
    id as board_seat_id,
    "Account" as account_id,
    "Contact" as contact_id,
    "Seat_Role" as seat_role,
    cast("Term_Start" as date) as term_starts_on,
    cast("Term_End" as date) as term_ends_on
from {{ source('zoho_crm', 'board_seats') }}
where not _is_deleted
