with periods as ({{ current_periods(months=true) }}),

ended as (
    {{ memberships_ended('is_member') }}
),

cells as (
    {{ counted_cells('ended', 'membership_id', ['region'], 'exists (select 1 from ' ~ ref('dim_member') ~ ')') }}
)

{{ figures('cells', 'count', 'No organisation has been loaded from the CRM.', months=true) }}
