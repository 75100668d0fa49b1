with periods as ({{ current_periods() }}),

associates as (

    select p.period, m.account_id, m.region
    from periods as p
    join {{ ref('dim_member') }} as m
        on m.is_associate
        and (m.joined_on is null or m.joined_on <= p.as_of_on)
        and (m.left_on is null or m.left_on > p.as_of_on)

),

cells as (
    {{ counted_cells('associates', 'account_id', ['region'], 'exists (select 1 from ' ~ ref('dim_member') ~ ')') }}
)

{{ figures('cells', 'count', 'No organisation has been loaded from the CRM.') }}
