select
    id as deal_id,
    "Account_Name" as donor_account_id,
    "Deal_Name" as deal_name,
    "Pipeline" as pipeline,
    "Stage" as stage,
    "Edition" as edition,
    "Currency" as currency,
    cast("Amount" as double precision) as amount,
    cast("Exchange_Rate" as double precision) as exchange_rate,
    cast("Signed_On" as date) as signed_on
from {{ source('zoho_crm', 'deals') }}
where not _is_deleted
