select
    id as deal_id,
    account as donor_account_id,
    name as deal_name,
    pipeline,
    stage,
    edition,
    currency,
    cast(amount as double precision) as amount,
    cast(exchange_rate as double precision) as exchange_rate,
    cast(signed_on as date) as signed_on
from {{ source('zoho_crm', 'deals') }}
where not _is_deleted
