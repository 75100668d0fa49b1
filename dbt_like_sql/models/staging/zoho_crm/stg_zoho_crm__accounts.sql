select
    id as account_id,
    part_of as part_of_account_id,
    name as account_name,
    organisation_type,
    member_type,
    region,
    country_code,
    jurisdiction_type,
    cast(joined_on as date) as joined_on,
    cast(left_on as date) as left_on
from {{ source('zoho_crm', 'accounts') }}
where not _is_deleted
