with periods as ({{ current_periods() }}),

-- A member that moved between regions counts in that of the last day, as in MEM-01: regions add up to the total.
engaged as (

    select p.period, f.account_id, v.region, f.programme, theme.category as theme, line.category as line_of_action
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.event_type = 'Solutions Lab'
        and f.is_held
        and f.has_attended
        and f.is_member_on_day
        and f.started_on >= p.starts_on
        and f.started_on <= p.as_of_on
    join {{ ref('dim_member_version') }} as v
        on v.account_id = f.account_id and {{ valid_on('v', 'p.as_of_on') }}
    left join {{ ref('dim_event_topic') }} as theme on theme.event_id = f.event_id and theme.topic = 'theme'
    left join {{ ref('dim_event_topic') }} as line on line.event_id = f.event_id and line.topic = 'line_of_action'

),

cells as (
    {{ counted_cells('engaged', 'account_id', ['region', 'programme', 'theme', 'line_of_action'], 'exists (select 1 from ' ~ ref('fct_participation') ~ ')') }}
)

{{ figures('cells', 'count', 'No participation has been loaded from the CRM.') }}
