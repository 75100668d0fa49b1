with periods as ({{ current_periods() }}),

cells as (

    -- Both halves come from the figures they are named after, so the three can never disagree.
    select
        m.period,
        m.dimension,
        m.category,
        l.numerator as numerator,
        m.numerator as denominator,
        m.numerator as n,
        case
            when l.value is null then l.note
            when m.numerator = 0 then 'No member at the end of the period.'
        end as note
    from {{ ref('ind_mem_01') }} as m
    join {{ ref('ind_lab_02') }} as l
        on l.period = m.period
        and l.dimension = m.dimension
        and coalesce(l.category, '') = coalesce(m.category, '')
    where m.dimension in ('total', 'region') and m.quarter = '{{ var("quarter") }}'

)

{{ figures('cells', 'percent', 'No members or no participations have been loaded from the CRM.') }}
