with periods as ({{ current_periods() }}),

issues as ({{ newsletter_issues('clicks') }}),

cells as ({{ newsletter_cells('clicks') }})

{{ figures('cells', 'percent', 'No newsletter with counts was sent in this period, or none has been loaded.', covers=true) }}
