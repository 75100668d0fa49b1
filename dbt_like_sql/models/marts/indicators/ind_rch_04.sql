with periods as ({{ current_periods() }}),

-- People, not attendances: who came to ten events is one person.
people as (

    select p.period, f.person_key, f.programme
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where f.is_held and f.has_attended and f.is_organised_by_network

),

cells as (
    {{ counted_cells('people', 'person_key', ['programme'], 'exists (select 1 from ' ~ ref('fct_participation') ~ ')') }}
)

{{ figures('cells', 'count', 'No participation has been loaded from the CRM.') }}
