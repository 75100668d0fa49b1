with periods as ({{ current_periods() }}),

-- Slots, not people: a speaker at three events counts three times.
slots as (

    select p.period, f.participation_id, f.gender, f.programme
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where {{ is_speaker_slot('f') }}

),

cells as (
    {{ gender_cells('slots', 'slots') }}
)

{{ figures('cells', 'percent', 'No speaker of this period has stated a gender.') }}
