with periods as ({{ current_periods() }}),

-- Persons, not seats; the last day of a term is a day in office.
persons as (

    select distinct p.period, b.contact_id, b.gender
    from periods as p
    join {{ ref('fct_board_seat') }} as b
        on b.term_starts_on <= p.as_of_on and (b.term_ends_on is null or b.term_ends_on >= p.as_of_on)

),

cells as (
    {{ gender_cells('persons') }}
)

{{ figures('cells', 'percent', 'No board seats have been loaded, or nobody has stated a gender.') }}
