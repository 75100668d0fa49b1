with periods as ({{ current_periods() }}),

-- The day twelve months before, on which a member has to be one to be retained.
bounds as (

    select period, as_of_on, cast(as_of_on - interval '12 months' as date) as began_on
    from periods

),

members as (

    select distinct b.period, v.account_id, v.region
    from bounds as b
    join {{ ref('dim_member_version') }} as v on v.is_member and {{ valid_on('v', 'b.began_on') }}
    join {{ ref('dim_membership') }} as s on s.account_id = v.account_id and {{ covers('s', 'b.began_on') }}

),

members_now as (
    {{ members_at_the_end('is_member') }}
),

counted as (

    select
        m.period,
        m.region,
        count(*) as members,
        count(n.account_id) as retained
    from members as m
    left join (select distinct period, account_id from members_now) as n
        on n.period = m.period and n.account_id = m.account_id
    group by m.period, m.region

),

cells as (

    {{ share_by_region('counted', 'retained', 'members', 'No member in this region twelve months before.') }}

)

{{ figures('cells', 'percent', 'No member twelve months before, or no organisation has been loaded from the CRM.') }}
