with periods as ({{ current_periods() }}),

lists as ({{ training_lists() }}),

-- People: who came to three sessions is one person, and stands in each programme that trained them.
trainees as ({{ trainees() }}),

cells as ({{ trainee_cells('person_key') }})

{{ figures('cells', 'count', 'No attendance list of a training in this period has been loaded.', covers=true) }}
