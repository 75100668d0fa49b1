with periods as ({{ current_periods() }}),

issues as ({{ newsletter_issues('opens') }}),

cells as ({{ newsletter_cells('opens') }})

{{ figures('cells', 'percent', 'No newsletter with counts was sent in this period, or none has been loaded.', covers=true) }}
