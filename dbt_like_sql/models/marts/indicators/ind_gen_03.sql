with periods as ({{ current_periods() }}),

-- The last day of a contract is a day in post. A new contract of the same person replaces the old one.
in_post as (

    select distinct p.period, s.employee_id, s.gender
    from periods as p
    join {{ ref('fct_staff') }} as s
        on s.joined_on <= p.as_of_on and (s.left_on is null or s.left_on >= p.as_of_on)
    where s.is_counted

),

cells as (
    {{ gender_cells('in_post') }}
)

{{ figures('cells', 'percent', 'No staff have been loaded, or nobody has stated a gender.') }}
