with periods as ({{ current_periods() }}),

lists as ({{ training_lists() }}),

-- Attendances: who came to three sessions counts three times.
trainees as ({{ trainees() }}),

cells as ({{ trainee_cells('attendance_key') }})

{{ figures('cells', 'count', 'No attendance list of a training in this period has been loaded.', covers=true) }}
