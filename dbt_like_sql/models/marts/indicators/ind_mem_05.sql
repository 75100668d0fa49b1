with periods as ({{ current_periods() }}),

-- Members on at least one day of the period, so that every active city is in the denominator, too.
-- Each counts in one region, that of the last day, so that the regions add up to the total.
members as (

    select distinct p.period, v.account_id, latest.region
    from periods as p
    join {{ ref('dim_member_version') }} as v on v.is_member
    join {{ ref('dim_membership') }} as s
        on s.account_id = v.account_id
        and greatest(p.starts_on, coalesce(v.valid_from, p.starts_on), coalesce(s.began_on, p.starts_on))
        < least(
            p.as_of_on + 1, coalesce(v.valid_to, p.as_of_on + 1), coalesce(s.ended_on, p.as_of_on + 1)
        )
    join {{ ref('dim_member_version') }} as latest
        on latest.account_id = v.account_id and {{ valid_on('latest', 'p.as_of_on') }}

),

active as (

    select distinct p.period, f.account_id
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where f.is_held and f.has_attended and f.is_member_on_day

),

counted as (

    select
        m.period,
        m.region,
        count(*) as members,
        count(a.account_id) as active_members
    from members as m
    left join active as a on a.period = m.period and a.account_id = m.account_id
    where exists (select 1 from {{ ref('fct_participation') }})
    group by m.period, m.region

),

cells as (

    {{ share_by_region('counted', 'active_members', 'members', 'No member in this region.') }}

)

{{ figures('cells', 'percent', 'No members or no participations have been loaded from the CRM.') }}
