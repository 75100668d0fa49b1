with living as (

    -- Deleted now: excluded throughout. Deleted once and restored: included throughout.
    select id
    from {{ source('zoho_crm', 'accounts') }}
    where not _is_deleted

),

kept as (

    select
        id, member_type, region, jurisdiction_type, joined_on, left_on, _loaded_at,
        coalesce(_changed_at at time zone 'UTC', cast(modified_at as timestamp with time zone)) as changed_at
    from {{ source('zoho_crm', 'accounts_history') }}
    where not _is_deleted and id in (select id from living)

),

versions as (

    select * from kept

    union all

    -- Loaded before versions were kept.
    select
        id, member_type, region, jurisdiction_type, joined_on, left_on, _loaded_at,
        cast(modified_at as timestamp with time zone)
    from {{ source('zoho_crm', 'accounts') }}
    where not _is_deleted and id not in (select id from kept)

),

dated as (

    select *, {{ business_day('changed_at') }} as changed_on
    from versions

),

placed as (

    -- For the same moment, the row loaded later wins.
    select
        *,
        row_number() over (
            partition by id, changed_on order by changed_at desc nulls last, _loaded_at desc
        ) as place
    from dated

)

select
    id || '/' || cast(row_number() over (partition by id order by changed_on) as text) as account_version_id,
    id as account_id,
    member_type,
    region,
    jurisdiction_type,
    cast(joined_on as date) as joined_on,
    cast(left_on as date) as left_on,
    changed_on
from placed
where place = 1
