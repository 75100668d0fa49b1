with periods as ({{ current_periods() }}),

-- Under way on the last day: begun, and not over. A project without a first day counts by its status alone.
projects as (

    select p.period, j.project_id, j.line_of_action, j.donor
    from periods as p
    join {{ ref('dim_project') }} as j
        on j.status <> 'planned'
        and (j.starts_on is null or j.starts_on <= p.as_of_on)
        and (j.ends_on is null or j.ends_on >= p.as_of_on)
        and (j.starts_on is not null or j.status = 'active')
        and (j.status = 'active' or j.ends_on is not null)

),

cells as (
    {{ counted_cells('projects', 'project_id', ['line_of_action', 'donor'], 'exists (select 1 from ' ~ ref('dim_project') ~ ')') }}
)

{{ figures('cells', 'count', 'No project is stated in the workbook.') }}
