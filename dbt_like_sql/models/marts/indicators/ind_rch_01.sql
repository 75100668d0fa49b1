with periods as ({{ current_periods() }}),

figures_of_accounts as (

    select p.period, f.platform, f.account, f.metric, f.value
    from periods as p
    join {{ ref('fct_social_period') }} as f
        on f.starts_on = p.starts_on and f.ends_before = p.ends_before

),

-- An account that reports reach but no views is a gap: a total without it would be too small.
by_account as (

    select period, platform, account, max(case when metric = 'views' then value end) as views
    from figures_of_accounts
    group by period, platform, account

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

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(a.account) = count(a.views) then sum(a.views) end as numerator,
        cast(null as double precision) as denominator,
        count(a.views) as n,
        case
            when count(a.account) > count(a.views)
                then 'No views from: '
                    || string_agg(case when a.views is null then a.account end, ', ' order by a.account) || '.'
        end as note
    from periods as p
    left join by_account as a on a.period = p.period
    group by p.period

    union all

    select
        period, 'platform', platform,
        case when count(account) = count(views) then sum(views) end, null, count(views), null
    from by_account
    group by period, platform

    union all

    select period, 'account', account, views, null, case when views is null then 0 else 1 end, null
    from by_account

    union all

    select
        c.period, 'campaign', c.campaign_name,
        case when a.quarters = a.quarters_asked then sum(c.views) end, null, count(c.views),
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

{{ figures('cells', 'count', 'The platforms gave no views for exactly this period.') }}
