with periods as ({{ current_periods() }}),

grants as (

    select p.period, n.partnership_id, n.line_of_action
    from periods as p
    join {{ ref('fct_partnership') }} as n
        on n.kind = 'grant'
        and n.is_agreed
        and n.agreed_on >= p.starts_on
        and n.agreed_on <= p.as_of_on

),

cells as (
    {{ counted_cells('grants', 'partnership_id', ['line_of_action'], "exists (select 1 from " ~ ref('fct_partnership') ~ " where kind = 'grant')") }}
)

{{ figures('cells', 'count', 'No application or grant is stated in the workbook.') }}
