select
    account_id,
    part_of_account_id,
    account_name,
    organisation_type,
    member_type,
    coalesce(region, 'Not stated') as region,
    country_code,
    coalesce(jurisdiction_type, 'Not stated') as jurisdiction_type,
    member_type = 'Member' as is_member,
    member_type = 'Associate' as is_associate,
    part_of_account_id is not null as is_nested,
    joined_on,
    left_on
from {{ ref('stg_zoho_crm__accounts') }}
