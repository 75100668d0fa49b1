select
    id as board_seat_id,
    account as account_id,
    contact as contact_id,
    role as seat_role,
    cast(term_start as date) as term_starts_on,
    cast(term_end as date) as term_ends_on
from {{ source('zoho_crm', 'board_seats') }}
where not _is_deleted
