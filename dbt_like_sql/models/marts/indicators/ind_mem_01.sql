with periods as ({{ current_periods() }}),

members as (
    {{ members_at_the_end('is_member') }}
),

cells as (
    {{ counted_cells('members', 'account_id', ['region', 'jurisdiction_type'], 'exists (select 1 from ' ~ ref('dim_member') ~ ')') }}
)

{{ figures('cells', 'count', 'No organisation has been loaded from the CRM.') }}
