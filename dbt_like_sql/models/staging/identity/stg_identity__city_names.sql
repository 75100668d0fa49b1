select city_key, coalesce(country, '') as country, country_code, account_id, how
from {{ source('identity', 'city_names') }}
where not _is_deleted
