with periods as ({{ current_periods() }}),

-- Followers at the end of a past day = followers counted later - net new followers on the days between.
counted_later as (

    select
        p.period,
        s.account_key,
        s.taken_on,
        s.followers,
        p.as_of_on,
        row_number() over (
            partition by p.period, s.account_key
            order by case when s.taken_on = p.as_of_on then 1 else 0 end, s.taken_on
        ) as place
    from periods as p
    join {{ ref('fct_follower_count') }} as s on s.taken_on >= p.as_of_on

),

gained as (

    select account_key, starts_on as gained_on, value as net_new_followers
    from {{ ref('fct_platform_metric') }}
    where counts = 'new_followers' and grain = 'day' and content_id = 'all' and availability = 'given'

),

-- A platform that never reports new followers by day cannot be extrapolated back.
reckonable as (select distinct account_key from gained),

reckoned as (

    select
        c.period,
        a.platform_title as platform,
        a.account,
        c.followers - coalesce(sum(d.net_new_followers), 0) as followers,
        -- The day of the count itself may not have ended, so it is not required.
        {{ days_between('c.as_of_on', 'c.taken_on') }} - 1 as days_needed,
        count(distinct case when d.gained_on < c.taken_on then d.gained_on end) as days_present,
        {{ days_between('min(d.gained_on)', 'c.taken_on') }} as days_since_first,
        max(r.account_key) is not null as is_reckonable
    from counted_later as c
    join {{ ref('dim_platform_account') }} as a on a.account_key = c.account_key and a.kind = 'social'
    left join reckonable as r on r.account_key = c.account_key
    left join gained as d
        on d.account_key = c.account_key and d.gained_on > c.as_of_on and d.gained_on <= c.taken_on
    where c.place = 1
    group by c.period, a.platform_title, a.account, c.followers, c.taken_on, c.as_of_on

),

by_account as (

    -- Days that begin later than needed, are complete from there and lead back to zero followers: the
    -- account did not exist yet.
    select
        period,
        platform,
        account,
        case when days_present >= days_needed then followers end as followers,
        case
            when days_present >= days_needed then 'given'
            when is_reckonable then 'missing'
            else 'not_offered'
        end as state,
        case
            when days_present >= days_needed then null
            when is_reckonable
                then cast(days_needed - days_present as text) || ' of ' || cast(days_needed as text)
                    || ' days of new followers are missing.'
            else 'The platform does not tell new followers by day, and nothing was counted on that day.'
        end as note
    from reckoned
    where not (days_present < days_needed and days_present = days_since_first and followers = 0)

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(case when a.state = 'missing' then 1 end) = 0 then sum(a.followers) end as numerator,
        cast(null as double precision) as denominator,
        count(a.followers) as n,
        {{ gaps('a', 'days of new followers') }} as note
    from periods as p
    left join by_account as a on a.period = p.period
    group by p.period

    union all

    select
        a.period, 'platform', a.platform,
        case when count(case when a.state = 'missing' then 1 end) = 0 then sum(a.followers) end, null,
        count(a.followers), {{ gaps('a', 'days of new followers') }}
    from by_account as a
    group by a.period, a.platform

    union all

    select
        period, 'account', platform || ' ' || account, followers, null,
        case when followers is null then 0 else 1 end, note
    from by_account

)

{{ figures('cells', 'count', 'Followers were never counted on or after the end of this period.') }}
