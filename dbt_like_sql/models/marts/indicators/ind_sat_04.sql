with periods as ({{ current_periods() }}),

invited as (

    select p.period, f.event_type, count(*) as invitations
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where f.is_held and f.has_attended and f.is_survey_invited
    group by p.period, f.event_type

),

answered as (

    select p.period, r.event_type, count(case when r.is_valid then 1 end) as usable
    from periods as p
    join {{ ref('fct_survey_response') }} as r
        on r.occurred_on >= p.starts_on and r.occurred_on <= p.as_of_on
    where r.is_event_known
    group by p.period, r.event_type

),

by_type as (

    select i.period, i.event_type, a.usable, i.invitations
    from invited as i
    left join answered as a on a.period = i.period and a.event_type = i.event_type

),

cells as (

    -- No response at all means no export, not a rate of zero.
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(t.usable) as numerator, sum(t.invitations) as denominator, sum(t.invitations) as n,
        case
            when count(t.invitations) = 0 then 'Nobody was invited to a survey in this period.'
            when count(t.usable) = 0 then 'No survey export holds answers for this period.'
            when count(t.usable) < count(t.invitations)
                then 'No answers yet for: '
                    || string_agg(case when t.usable is null then t.event_type end, ', ' order by t.event_type) || '.'
        end as note
    from periods as p
    left join by_type as t on t.period = p.period
    group by p.period

    union all

    select
        period, 'activity_type', event_type, usable, invitations, invitations,
        case when usable is null then 'No survey export holds answers for this kind of event.' end
    from by_type

)

{{ figures('cells', 'percent', 'No survey export holds answers for this period.') }}
