with periods as ({{ current_periods(months=true) }}),

begun as (
    {{ memberships_begun('is_associate') }}
),

cells as (
    {{ counted_cells('begun', 'membership_id', ['region'], 'exists (select 1 from ' ~ ref('dim_member') ~ ')') }}
)

{{ figures('cells', 'count', 'No organisation has been loaded from the CRM.', months=true) }}
