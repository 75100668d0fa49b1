with periods as ({{ current_periods() }}),

invited as (

    select p.period, f.event_id, f.event_type, f.programme, count(*) as invitations
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where f.is_held and f.has_attended and f.is_survey_invited
    group by p.period, f.event_id, f.event_type, f.programme

),

answered as (

    select
        p.period,
        r.event_id,
        count(case when r.is_valid then 1 end) as answers,
        count(case when r.is_valid and not e.is_held then 1 end) as not_held
    from periods as p
    join {{ ref('fct_survey_response') }} as r
        on r.occurred_on >= p.starts_on and r.occurred_on <= p.as_of_on
    join {{ ref('dim_event') }} as e on e.event_id = r.event_id
    group by p.period, r.event_id

),

-- Nobody knows who answered: of an event, at most as many answers as invitations can come from those invited.
by_event as (

    select
        i.period,
        i.event_type,
        i.programme,
        i.invitations,
        case when a.answers < i.invitations then a.answers when a.answers is not null then i.invitations end as answered
    from invited as i
    left join answered as a on a.period = i.period and a.event_id = i.event_id

),

by_type as (

    select period, event_type, sum(answered) as answered, sum(invitations) as invitations
    from by_event
    group by period, event_type

),

by_programme as (

    select period, programme, sum(answered) as answered, sum(invitations) as invitations
    from by_event
    where programme is not null
    group by period, programme

),

-- Without numbers: a note must not say how many answers a withheld figure has.
left_out as (

    select
        a.period,
        trim(concat(
            max(case when a.not_held > 0 then 'Answers to events that were not held are not counted. ' end),
            max(
                case
                    when a.not_held = 0 and a.answers > coalesce(i.invitations, 0)
                        then 'Answers beyond the invitations to their event are not counted.'
                end
            )
        )) as note
    from answered as a
    left join invited as i on i.period = a.period and i.event_id = a.event_id
    group by a.period

),

cells as (

    -- No response at all means no export, not a rate of zero.
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(t.answered) as numerator, sum(t.invitations) as denominator, sum(t.invitations) as n,
        sum(t.invitations) as expected,
        sum(case when t.answered is not null then t.invitations end) as covered,
        case
            when count(t.invitations) = 0 then 'Nobody was invited to a survey in this period.'
            when count(t.answered) = 0 then 'No survey export holds answers for this period.'
            else nullif(
                trim(concat(
                    case
                        when count(t.answered) < count(t.invitations)
                            then 'No answers yet for: '
                                || string_agg(
                                    case when t.answered is null then t.event_type end, ', ' order by t.event_type
                                )
                                || '. '
                    end,
                    max(l.note)
                )),
                ''
            )
        end as note
    from periods as p
    left join by_type as t on t.period = p.period
    left join left_out as l on l.period = p.period
    group by p.period

    union all

    select
        period, 'activity_type', event_type, answered, invitations, invitations,
        invitations, case when answered is not null then invitations end,
        case when answered is null then 'No survey export holds answers for this kind of event.' end
    from by_type

    union all

    select
        period, 'programme', programme, answered, invitations, invitations,
        invitations, case when answered is not null then invitations end,
        case when answered is null then 'No survey export holds answers for this programme.' end
    from by_programme

)

{{ figures('cells', 'percent', 'No survey export holds answers for this period.', covers=true) }}
