with periods as ({{ current_periods() }}),

outcomes as (

    select p.period, o.outcome_id, o.outcome_status, o.line_of_action
    from periods as p
    join {{ ref('fct_outcome') }} as o on o.happened_on >= p.starts_on and o.happened_on <= p.as_of_on

),

cells as (
    {{ counted_cells('outcomes', 'outcome_id', ['outcome_status', 'line_of_action'], 'exists (select 1 from ' ~ ref('fct_outcome') ~ ')') }}
)

{{ figures('cells', 'count', 'No outcome is stated in the workbook.') }}
