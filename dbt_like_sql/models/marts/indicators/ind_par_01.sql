with periods as ({{ current_periods() }}),

partnerships as (

    select p.period, n.partnership_id, n.kind as partnership_kind, n.line_of_action
    from periods as p
    join {{ ref('fct_partnership') }} as n
        on n.kind in ('partnership', 'funding')
        and n.is_agreed
        and n.agreed_on >= p.starts_on
        and n.agreed_on <= p.as_of_on

),

named as (

    select
        period, partnership_id, line_of_action,
        case partnership_kind when 'funding' then 'Funding' else 'Partnership' end as partnership_kind
    from partnerships

),

cells as (
    {{ counted_cells('named', 'partnership_id', ['partnership_kind', 'line_of_action'], 'exists (select 1 from ' ~ ref('fct_partnership') ~ ')') }}
)

{{ figures('cells', 'count', 'No partnership is stated in the workbook.') }}
