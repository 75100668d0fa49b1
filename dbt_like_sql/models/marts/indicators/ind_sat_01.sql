with periods as ({{ current_periods() }}),

{{ satisfaction_cells('sum(a.score)') }}

{{ figures('cells', 'mean', 'No valid answer to the overall question in this period.', scale=[1, 5]) }}
