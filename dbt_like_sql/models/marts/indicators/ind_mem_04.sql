with periods as ({{ current_periods() }}),

associates as (
    {{ members_at_the_end('is_associate') }}
),

cells as (
    {{ counted_cells('associates', 'account_id', ['region'], 'exists (select 1 from ' ~ ref('dim_member') ~ ')') }}
)

{{ figures('cells', 'count', 'No organisation has been loaded from the CRM.') }}
