select
    id as account_id,
    "Part_Of" as part_of_account_id,
    "Account_Name" as account_name,
    "Organisation_Type" as organisation_type,
    "Member_Type" as member_type,
    "Region" as region,
    "Country_Code" as country_code,
    "Jurisdiction_Type" as jurisdiction_type,
    cast("Joined_On" as date) as joined_on,
    cast("Left_On" as date) as left_on
from {{ source('zoho_crm', 'accounts') }}
where not _is_deleted
