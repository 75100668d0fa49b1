with periods as ({{ current_periods() }}),

-- Followers at the end of a past day = followers counted later - net new followers on the days between.
counted_later as (

    select
        p.period,
        s.account_id,
        s.taken_on,
        s.followers_count,
        p.as_of_on,
        row_number() over (
            partition by p.period, s.account_id
            order by case when s.taken_on = p.as_of_on then 1 else 0 end, s.taken_on
        ) as place
    from periods as p
    join {{ ref('stg_instagram__accounts') }} as s on s.taken_on >= p.as_of_on

),

reckoned as (

    select
        c.period,
        a.platform,
        a.username as account,
        c.followers_count - coalesce(sum(d.net_new_followers), 0) as followers,
        -- The day of the count itself may not have ended, so it need not be there.
        c.taken_on - c.as_of_on - 1 as days_needed,
        count(distinct case when d.followers_on < c.taken_on then d.followers_on end) as days_present,
        c.taken_on - min(d.followers_on) as days_since_first
    from counted_later as c
    join {{ ref('dim_social_account') }} as a on a.account_id = c.account_id
    left join {{ ref('fct_follower_day') }} as d
        on d.account_id = c.account_id and d.followers_on > c.as_of_on and d.followers_on <= c.taken_on
    where c.place = 1
    group by c.period, a.platform, a.username, c.followers_count, c.taken_on, c.as_of_on

),

by_account as (

    -- Days that begin later than needed, are complete from there and lead back to nobody: the account
    -- did not exist yet.
    select
        period,
        platform,
        account,
        case when days_present >= days_needed then followers end as followers,
        case
            when days_present < days_needed
                then cast(days_needed - days_present as text) || ' of ' || cast(days_needed as text)
                    || ' days of new followers are missing.'
        end as note
    from reckoned
    where not (days_present < days_needed and days_present = days_since_first and followers = 0)

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(a.account) = count(a.followers) then sum(a.followers) end as numerator,
        cast(null as double precision) as denominator,
        count(a.followers) as n,
        case
            when count(a.account) > count(a.followers)
                then 'Days of new followers are missing for: '
                    || string_agg(case when a.followers is null then a.account end, ', ' order by a.account) || '.'
        end as note
    from periods as p
    left join by_account as a on a.period = p.period
    group by p.period

    union all

    select
        period, 'platform', platform,
        case when count(account) = count(followers) then sum(followers) end, null, count(followers), null
    from by_account
    group by period, platform

    union all

    select period, 'account', account, followers, null, case when followers is null then 0 else 1 end, note
    from by_account

)

{{ figures('cells', 'count', 'Followers were never counted on or after the end of this period.') }}
