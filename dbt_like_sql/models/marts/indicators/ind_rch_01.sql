with periods as ({{ current_periods() }}),

by_account as (

    select f.period, f.platform_title as platform, f.account, f.state, f.value as views, f.days_with_data, f.period_days, f.note
    from {{ ref('fct_account_period') }} as f
    join periods as p on p.period = f.period
    where f.kind = 'social' and f.counts = 'views'

),

posts as (

    select p.period, c.campaign_name, c.views
    from periods as p
    join {{ ref('fct_campaign_post') }} as c
        on c.published_on >= p.starts_on and c.published_on < p.ends_before
    where c.kind = 'campaign'

),

asked as ({{ asked_quarters() }}),

cells as (

    -- A missing expected figure withholds the total; a platform that never reports this period is named.
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(case when a.state = 'missing' then 1 end) = 0 then sum(a.views) end as numerator,
        cast(null as double precision) as denominator,
        count(a.views) as n,
        sum(case when a.views is not null then a.period_days end) as expected,
        sum(case when a.views is not null then a.days_with_data end) as covered,
        {{ gaps('a', 'views') }} as note
    from periods as p
    left join by_account as a on a.period = p.period
    group by p.period

    union all

    select
        a.period, 'platform', a.platform,
        case when count(case when a.state = 'missing' then 1 end) = 0 then sum(a.views) end, null,
        count(a.views),
        sum(case when a.views is not null then a.period_days end),
        sum(case when a.views is not null then a.days_with_data end),
        {{ gaps('a', 'views') }}
    from by_account as a
    group by a.period, a.platform

    union all

    select
        period, 'account', platform || ' ' || account, views, null, case when views is null then 0 else 1 end,
        period_days, days_with_data,
        case state
            when 'not_offered' then 'The platform does not tell this period.'
            when 'no_access' then 'The account could not be read.'
            else note
        end
    from by_account

    union all

    select
        c.period, 'campaign', c.campaign_name,
        case when a.quarters = a.quarters_asked then sum(c.views) end, null, count(c.views),
        count(*), count(c.views),
        case
            when a.quarters > a.quarters_asked
                then cast(a.quarters - a.quarters_asked as text) || ' of ' || cast(a.quarters as text)
                    || ' quarters have not been loaded.'
            when count(c.views) < count(*)
                then cast(count(*) - count(c.views) as text) || ' of ' || cast(count(*) as text)
                    || ' posts have no figure and are not in the sum.'
        end
    from posts as c
    join asked as a on a.period = c.period
    group by c.period, c.campaign_name, a.quarters, a.quarters_asked

)

{{ figures('cells', 'count', 'The platforms gave no views for exactly this period.', covers=true) }}
