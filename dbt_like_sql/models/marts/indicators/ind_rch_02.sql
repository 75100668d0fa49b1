with periods as ({{ current_periods() }}),

-- Followers counted on the last day itself, else: counted later - net new followers on the days between.
counted_later as (

    select
        p.period,
        s.account_key,
        s.taken_on,
        s.followers,
        p.as_of_on,
        row_number() over (partition by p.period, s.account_key order by s.taken_on) as place
    from periods as p
    join {{ ref('fct_follower_count') }} as s on s.taken_on >= p.as_of_on

),

gained as (

    select account_key, grain, starts_on, ends_before, value as net_new_followers
    from {{ ref('fct_platform_metric') }}
    where counts = 'new_followers' and grain in ('day', 'month') and content_id = 'all' and is_given

),

days as (select * from gained where grain = 'day'),

-- A month stands for its days where not all of them are known: some platforms give single days for a while only.
months as (

    select m.account_key, m.starts_on, m.ends_before, max(m.net_new_followers) as net_new_followers
    from gained as m
    left join days as d
        on d.account_key = m.account_key and d.starts_on >= m.starts_on and d.starts_on < m.ends_before
    where m.grain = 'month'
    group by m.account_key, m.starts_on, m.ends_before
    having count(distinct d.starts_on) < {{ days_between('m.starts_on', 'm.ends_before') }}

),

-- A platform that never reports new followers cannot be extrapolated back.
reckonable as (select distinct account_key from gained),

counts as (select * from counted_later where place = 1),

spans as (

    select
        c.period, c.account_key, m.starts_on, m.net_new_followers,
        {{ days_between('m.starts_on', 'm.ends_before') }} as days
    from counts as c
    join months as m
        on m.account_key = c.account_key and m.starts_on > c.as_of_on and m.ends_before <= c.taken_on

    union all

    select c.period, c.account_key, d.starts_on, d.net_new_followers, 1 as days
    from counts as c
    join days as d on d.account_key = c.account_key and d.starts_on > c.as_of_on and d.starts_on <= c.taken_on
    left join months as m
        on m.account_key = c.account_key and m.starts_on > c.as_of_on and m.ends_before <= c.taken_on
        and d.starts_on >= m.starts_on and d.starts_on < m.ends_before
    where m.account_key is null

),

reckoned as (

    select
        c.period,
        c.account_key,
        a.platform_title as platform,
        a.account,
        c.followers - coalesce(sum(s.net_new_followers), 0) as followers,
        -- The day of the count itself may not have ended, so it is not required.
        {{ days_between('c.as_of_on', 'c.taken_on') }} - 1 as days_needed,
        coalesce(sum(case when s.starts_on < c.taken_on then s.days end), 0) as days_present,
        {{ days_between('min(s.starts_on)', 'c.taken_on') }} as days_since_first,
        min(s.starts_on) as first_on,
        max(r.account_key) is not null as is_reckonable
    from counts as c
    join {{ ref('dim_platform_account') }} as a on a.account_key = c.account_key and a.kind = 'social'
    left join reckonable as r on r.account_key = c.account_key
    left join spans as s on s.period = c.period and s.account_key = c.account_key
    group by c.period, c.account_key, a.platform_title, a.account, c.followers, c.taken_on, c.as_of_on

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
            when is_reckonable and days_present = days_since_first then 'begins_later'
            when is_reckonable then 'missing'
            else 'not_offered'
        end as state,
        case
            when days_present >= days_needed then null
            when is_reckonable and days_present = days_since_first
                then 'Its data begin on ' || cast(first_on as text) || '.'
            when is_reckonable
                then cast(days_needed - days_present as text) || ' of ' || cast(days_needed as text)
                    || ' days of new followers are missing.'
            else 'Nothing was counted on that day, and there is no exact count with the changes of every day since,'
                || ' from which it could be worked out.'
        end as note
    from reckoned
    where not (days_present < days_needed and days_present = days_since_first and followers = 0)

    union all

    -- Accounts whose followers were never counted because they could not be read.
    select distinct
        f.period, f.platform_title, f.account, cast(null as bigint), 'no_access', 'The account could not be read.'
    from {{ ref('fct_account_period') }} as f
    join periods as p on p.period = f.period
    left join reckoned as r on r.period = f.period and r.account_key = f.account_key
    where f.kind = 'social' and f.state = 'no_access' and r.account_key is null

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
