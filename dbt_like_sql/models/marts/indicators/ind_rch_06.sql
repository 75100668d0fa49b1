with periods as ({{ current_periods() }}),

by_account as (

    select p.period, f.platform, f.account, f.value
    from periods as p
    join {{ ref('fct_social_period') }} as f
        on f.starts_on = p.starts_on and f.ends_before = p.ends_before
    where f.metric = 'reach'

),

cells as (

    -- Two accounts may reach the same person, so reach is never added up.
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(a.account) = 1 then max(a.value) end as numerator,
        cast(null as double precision) as denominator,
        count(a.account) as n,
        case
            when count(a.account) > 1
                then 'Reach of several accounts cannot be added: the same people may follow more than one.'
                    || ' Together it lies between ' || cast(max(a.value) as text)
                    || ' and ' || cast(sum(a.value) as text) || '.'
        end as note
    from periods as p
    left join by_account as a on a.period = p.period
    group by p.period

    union all

    select
        period, 'platform', platform,
        case when count(account) = 1 then max(value) end, null, count(account),
        case when count(account) > 1 then 'Reach of several accounts cannot be added. See the accounts.' end
    from by_account
    group by period, platform

    union all

    select period, 'account', account, value, null, 1, null
    from by_account

)

{{ figures('cells', 'count', 'The platforms gave no reach for exactly this period.') }}
