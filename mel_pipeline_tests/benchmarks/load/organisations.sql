-- Every member city, and a thousand organisations around them.
create table raw_zoho_crm__accounts as
select
    '9' || lpad(cast(place as text), 17, '0') as id,
    coalesce(c.name, 'Institute ' || cast(place as text)) as name,
    case when c.name is null then 'Partner' else 'City' end as organisation_type,
    case when c.name is null then 'Non-member' when c.member_type = 'associate' then 'Associate' else 'Member' end
        as member_type,
    coalesce(nullif(c.region, ''), case when u(place, 'region') < 0.9 then pick(['Europe', 'Asia', 'Africa'], u(place, 'where')) end)
        as region,
    nullif(c.country, '') as country_code,
    case when c.name is not null then 'City' end as jurisdiction_type,
    cast(null as text) as part_of,
    case when c.name is not null then coalesce(nullif(c.joined_year, ''), '2015') || '-05-01' end as joined_on,
    cast(null as text) as left_on,
    '2022-12-01T09:00:00+00:00' as created_at,
    '2024-12-20T09:00:00+00:00' as modified_at,
    '9' || lpad(cast(place as text), 17, '0') as _row_key,
    'fabricated' as _load_id,
    'fabricated' as _source_ref,
    timestamp '2024-12-20 09:00' as _changed_at,
    timestamp '2025-01-05 02:00' as _loaded_at,
    false as _is_deleted
from range(0, 1200) as r(place)
left join fab_city as c using (place);

create table raw_zoho_crm__accounts_history as select * from raw_zoho_crm__accounts;

-- What people write for a city: its name as it is.
create table raw_identity__city_names as
select
    key as city_key,
    '' as country,
    country as country_code,
    '9' || lpad(cast(place as text), 17, '0') as account_id,
    'exact_name' as how,
    key as _row_key,
    'fabricated' as _load_id,
    'fabricated' as _source_ref,
    cast(null as timestamp) as _changed_at,
    timestamp '2025-01-05 02:00' as _loaded_at,
    false as _is_deleted
from fab_city
qualify row_number() over (partition by key order by place) = 1;
