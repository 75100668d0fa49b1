with periods as ({{ current_periods() }}),

trainees as ({{ trainees() }}),

-- A person trained in three sessions is one person.
persons as (

    select distinct period, person_key, gender
    from trainees
    where dimension = 'total'

),

cells as (
    {{ gender_cells('persons') }}
)

{{ figures('cells', 'percent', 'No list of a training in this period says the gender of those who came.') }}
