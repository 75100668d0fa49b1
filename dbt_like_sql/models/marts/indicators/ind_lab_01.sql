with periods as ({{ current_periods() }}),

labs as (

    select p.period, e.lab, e.programme, theme.category as theme, line.category as line_of_action
    from periods as p
    join {{ ref('dim_event') }} as e
        on e.event_type = 'Solutions Lab'
        and e.is_held
        and e.started_on >= p.starts_on
        and e.started_on <= p.as_of_on
    left join {{ ref('dim_event_topic') }} as theme on theme.event_id = e.event_id and theme.topic = 'theme'
    left join {{ ref('dim_event_topic') }} as line on line.event_id = e.event_id and line.topic = 'line_of_action'

),

cells as (
    {{ counted_cells('labs', 'lab', ['programme', 'theme', 'line_of_action'], 'exists (select 1 from ' ~ ref('dim_event') ~ ')') }}
)

{{ figures('cells', 'count', 'No event has been loaded from the CRM.') }}
