with periods as ({{ current_periods() }}),

{{ satisfaction_cells('count(case when a.score >= 4 then 1 end)') }}

{{ figures('cells', 'percent', 'No valid answer to the overall question in this period.') }}
