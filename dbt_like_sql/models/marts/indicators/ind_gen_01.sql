with periods as ({{ current_periods() }}),

-- A person of two programmes stands in both.
by_programme as (

    select distinct p.period, f.person_key, f.gender, f.programme
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where f.event_type = 'Solutions Lab' and f.is_held and f.has_attended and f.role = 'Participant'

),

-- A person who took part in three labs is one person.
persons as (

    select distinct period, person_key, gender
    from by_programme

),

cells as (
    {{ gender_cells('persons', 'by_programme') }}
)

{{ figures('cells', 'percent', 'Nobody who took part in a lab in this period has stated a gender.') }}
