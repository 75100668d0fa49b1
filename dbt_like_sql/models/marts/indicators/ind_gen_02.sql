with periods as ({{ current_periods() }}),

-- Slots, not people: a speaker at three events counts three times.
slots as (

    select p.period, f.participation_id, f.gender
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where
        f.role in ('Speaker', 'Moderator')
        and f.is_held
        and f.has_attended
        and f.is_organised_by_network

),

cells as (
    {{ gender_cells('slots') }}
)

{{ figures('cells', 'percent', 'No speaker of this period has stated a gender.') }}
