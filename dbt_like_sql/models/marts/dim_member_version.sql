with days as (

    select
        account_id,
        member_type,
        coalesce(region, 'Not stated') as region,
        coalesce(jurisdiction_type, 'Not stated') as jurisdiction_type,
        member_type in ('Member', 'Associate') as is_in_network,
        joined_on,
        changed_on,
        row_number() over (partition by account_id order by changed_on) as place,
        lead(changed_on) over (partition by account_id order by changed_on) as replaced_on,
        row_number() over (
            partition by account_id, member_type in ('Member', 'Associate'), joined_on order by changed_on
        ) as place_of_joining
    from {{ ref('stg_zoho_crm__account_versions') }}

),

-- A new member is entered some days before or after it joins. The version that records it is valid from the joining
-- date, or the member would count as new in no quarter. `was`: the joining date recorded until then.
dated as (

    select
        d.account_id,
        d.member_type,
        d.region,
        d.jurisdiction_type,
        d.place,
        case
            when d.place = 1 then null
            when d.is_in_network and d.joined_on > d.changed_on then d.joined_on
            when d.is_in_network and d.place_of_joining = 1 and was.member_type <> d.member_type then d.joined_on
            else d.changed_on
        end as valid_from
    from days as d
    left join days as was
        on was.account_id = d.account_id
        and (was.place = 1 or was.changed_on <= d.joined_on)
        and (was.replaced_on is null or was.replaced_on > d.joined_on)

),

later as (

    select
        *,
        min(valid_from) over (
            partition by account_id order by place rows between 1 following and unbounded following
        ) as next_from
    from dated

),

compared as (

    select
        *,
        lag(member_type) over (partition by account_id order by place) as type_before,
        lag(region) over (partition by account_id order by place) as region_before,
        lag(jurisdiction_type) over (partition by account_id order by place) as jurisdiction_before
    from later
    where valid_from is null or next_from is null or valid_from < next_from

),

stretches as (

    select *, row_number() over (partition by account_id order by place) as number
    from compared
    where
        type_before is null
        or member_type <> type_before
        or region <> region_before
        or jurisdiction_type <> jurisdiction_before

)

select
    account_id || '/' || cast(number as text) as member_version_id,
    account_id,
    number,
    member_type,
    region,
    jurisdiction_type,
    member_type = 'Member' as is_member,
    member_type = 'Associate' as is_associate,
    valid_from,
    lead(valid_from) over (partition by account_id order by number) as valid_to
from stretches
