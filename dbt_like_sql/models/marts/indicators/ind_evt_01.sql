with periods as ({{ current_periods() }}),

attended as (

    select distinct event_id
    from {{ ref('fct_participation') }}
    where has_attended

),

-- Events of others count only if somebody is known to have been there.
events as (

    select
        p.period,
        e.event_id,
        e.event_type as activity_type,
        e.programme,
        case when e.is_organised_by_network then 'Organised by the network' else 'Organised by others' end as organiser,
        line.category as line_of_action
    from periods as p
    join {{ ref('dim_event') }} as e
        on e.event_type in ('Conference', 'Panel')
        and e.is_held
        and e.started_on >= p.starts_on
        and e.started_on <= p.as_of_on
    left join attended as a on a.event_id = e.event_id
    left join {{ ref('dim_event_topic') }} as line on line.event_id = e.event_id and line.topic = 'line_of_action'
    where e.is_organised_by_network or a.event_id is not null

),

cells as (
    {{ counted_cells('events', 'event_id', ['organiser', 'activity_type', 'programme', 'line_of_action'], 'exists (select 1 from ' ~ ref('dim_event') ~ ')') }}
)

{{ figures('cells', 'count', 'No event has been loaded from the CRM.') }}
