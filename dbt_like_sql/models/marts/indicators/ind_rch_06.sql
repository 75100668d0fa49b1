with periods as ({{ current_periods() }}),

by_account as (

    select f.period, f.platform_title as platform, f.account, f.state, f.value
    from {{ ref('fct_account_period') }} as f
    join periods as p on p.period = f.period
    where f.kind = 'social' and f.counts = 'reach'

),

cells as (

    -- Two accounts may reach the same person, so reach is never added up. Above is a bound only where all report it.
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when count(a.account) = 1 then max(a.value) end as numerator,
        cast(null as double precision) as denominator,
        count(a.value) as n,
        case
            when count(a.account) > 1 and count(a.value) > 0
                then 'Reach of several accounts cannot be added: the same people may follow more than one. '
                    || case
                        when count(a.value) = count(a.account)
                            then 'Together it lies between ' || cast(cast(max(a.value) as bigint) as text)
                                || ' and ' || cast(cast(sum(a.value) as bigint) as text) || '.'
                        else 'Together it is at least ' || cast(cast(max(a.value) as bigint) as text) || '; '
                            || cast(count(a.account) - count(a.value) as text) || ' of '
                            || cast(count(a.account) as text) || ' accounts give no reach for exactly this period.'
                    end
        end as note
    from periods as p
    left join by_account as a on a.period = p.period
    group by p.period

    union all

    select
        period, 'platform', platform,
        case when count(case when state <> 'not_offered' then 1 end) = 1 then max(value) end, null, count(value),
        case
            when count(value) > 1 then 'Reach of several accounts cannot be added. See the accounts.'
            when count(case when state <> 'not_offered' then 1 end) = 0
                then 'The platform gives no reach for exactly this period.'
        end
    from by_account
    group by period, platform

    union all

    select
        period, 'account', platform || ' ' || account, value, null, case when value is null then 0 else 1 end,
        case state
            when 'not_offered' then 'The platform gives no reach for exactly this period.'
            when 'no_access' then 'The account could not be read.'
        end
    from by_account

)

{{ figures('cells', 'count', 'The platforms gave no reach for exactly this period.') }}
